/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/verb.h"

static int start(const Runtime *rt, void *target, char **words, Error *reterr) {
        return runtime_start(rt, words[0], reterr);
}

const Verb verb_start = {
        .name = "start", .arguments = "ID", .summary = "Let a created container run its program", .order = OPTIONS_ANYWHERE,
        .min_words = 1, .max_words = 1, .run = start,
};
