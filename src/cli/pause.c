/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/ids.h"
#include "cli/verb.h"

static int pause_one(const Runtime *rt, const char *id, void *userdata, Error *reterr) {
        return runtime_pause(rt, id, reterr);
}

static int pause(const Runtime *rt, void *target, char **words, Error *reterr) {
        return on_each(rt, words, false, pause_one, NULL, reterr);
}

const Verb verb_pause = {
        .name = "pause", .arguments = "ID...", .summary = "Freeze all processes of a container",
        .example = "pause web", .order = OPTIONS_ANYWHERE,
        .min_words = 1, .max_words = UINT32_MAX, .run = pause,
};
