/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/create-options.h"

static const Option options[] = { CREATE_OPTION_ROWS, CREATE_OPTION_NO_SUBREAPER, OPTION_END };

static int create(const Runtime *rt, void *target, char **words, Error *reterr) {
        CreateOptions *o = target;

        o->id = words[0];
        o->bundle = o->bundle ?: ".";
        return runtime_create(rt, o, reterr);
}

const Verb verb_create = {
        .name = "create", .arguments = "ID", .summary = "Make a container that waits for start",
        .options = options, .options_size = sizeof(CreateOptions), .order = OPTIONS_ANYWHERE,
        .min_words = 1, .max_words = 1, .run = create,
};
