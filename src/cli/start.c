/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/log.h"
#include "cli/caller.h"
#include "cli/ids.h"
#include "cli/verb.h"

static int start_one(const Runtime *rt, const char *id, void *userdata, Error *reterr) {
        int r = runtime_start(rt, id, caller_program(), reterr);

        if (r == 0 && reterr->message)
                log_message(LOG_ERROR, "%s", reterr->message);
        return r;
}

static int start(const Runtime *rt, void *target, char **words, Error *reterr) {
        return on_each(rt, words, false, start_one, NULL, reterr);
}

const Verb verb_start = {
        .name = "start", .arguments = "ID...", .summary = "Start the program of a created container",
        .example = "start web", .order = OPTIONS_ANYWHERE,
        .min_words = 1, .max_words = UINT32_MAX, .run = start,
};
