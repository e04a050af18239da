/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/verb.h"

static int resume(const Runtime *rt, void *target, char **words, Error *reterr) {
        return runtime_resume(rt, words[0], reterr);
}

const Verb verb_resume = {
        .name = "resume", .arguments = "ID", .summary = "Thaw a paused container", .order = OPTIONS_ANYWHERE,
        .min_words = 1, .max_words = 1, .run = resume,
};
