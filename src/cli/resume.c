/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/ids.h"
#include "cli/verb.h"

static int resume_one(const Runtime *rt, const char *id, void *userdata, Error *reterr) {
        return runtime_resume(rt, id, reterr);
}

static int resume(const Runtime *rt, void *target, char **words, Error *reterr) {
        return on_each(rt, words, false, resume_one, NULL, reterr);
}

const Verb verb_resume = {
        .name = "resume", .arguments = "ID...", .summary = "Let a paused container go on",
        .example = "resume web", .order = OPTIONS_ANYWHERE,
        .min_words = 1, .max_words = UINT32_MAX, .run = resume,
};
