/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/log.h"
#include "cli/verb.h"

static int start(const Runtime *rt, void *target, char **words, Error *reterr) {
        int r = runtime_start(rt, words[0], reterr);

        if (r == 0 && reterr->message)
                log_message(LOG_ERROR, "%s", reterr->message);
        return r;
}

const Verb verb_start = {
        .name = "start", .arguments = "ID", .summary = "Let a created container run its program", .order = OPTIONS_ANYWHERE,
        .min_words = 1, .max_words = 1, .run = start,
};
