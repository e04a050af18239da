/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "cli/create-options.h"

static const Option options[] = {
        { .name = "config", .letter = 'f', CREATE_FIELD(config), .type = OPTION_STRING, .argument = "FILE", .help = "Instead of config.json of the bundle" },
        { .name = "id", CREATE_FIELD(id), .type = OPTION_STRING, .argument = "ID", .help = "As if for this container" },
        { .name = "no-pivot", CREATE_FIELD(no_pivot), .type = OPTION_FLAG, .help = "As for create" },
        { .name = "no-new-keyring", CREATE_FIELD(no_new_keyring), .type = OPTION_FLAG, .help = "As for create" },
        OPTION_END,
};

static int plan(const Runtime *rt, void *target, char **words, Error *reterr) {
        _cleanup_text_ Text text = {};
        CreateOptions *o = target;
        int r;

        o->bundle = words[0] ?: ".";
        r = runtime_plan(rt, o, &text, reterr);
        if (r == 0)
                fputs(text.s, stdout);
        return r;
}

const Verb verb_plan = {
        .name = "plan", .arguments = "[BUNDLE]", .summary = "Print what create would do with a bundle",
        .example = "plan web",
        .options = options, .options_size = sizeof(CreateOptions), .order = OPTIONS_ANYWHERE, .stateless = true,
        .max_words = 1, .run = plan,
};
