/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/verb.h"

static int pause(const Runtime *rt, void *target, char **words, Error *reterr) {
        return runtime_pause(rt, words[0], reterr);
}

const Verb verb_pause = {
        .name = "pause", .arguments = "ID", .summary = "Freeze all processes of a container", .order = OPTIONS_ANYWHERE,
        .min_words = 1, .max_words = 1, .run = pause,
};
