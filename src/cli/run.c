/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/create-options.h"

static const Option options[] = {
        CREATE_OPTION_ROWS,
        { .name = "detach", .letter = 'd', CREATE_FIELD(detach), .type = OPTION_FLAG, .help = "Do not wait for it to end" },
        { .name = "keep", CREATE_FIELD(keep), .type = OPTION_FLAG, .help = "Do not delete it when it has ended" },
        CREATE_OPTION_NO_SUBREAPER, CREATE_OPTIONS_ELSEWHERE,
        OPTION_ELSEWHERE("rm", 0, "run deletes it when it has ended, unless there is --keep"),
        OPTION_END,
};

static int run(const Runtime *rt, void *target, char **words, Error *reterr) {
        CreateOptions *o = target;
        int status = 0, r;

        r = create_take_id(o, words, reterr);
        if (r == 0)
                r = runtime_run(rt, o, &status, reterr);
        return r < 0 ? r : status;
}

const Verb verb_run = {
        .name = "run", .arguments = "ID", .summary = "Make a container, start it and wait for its end",
        .example = "run --bundle web web",
        .options = options, .options_size = sizeof(CreateOptions), .order = OPTIONS_ANYWHERE,
        .min_words = 1, .max_words = 1, .surplus = COMMAND_IS_IN_CONFIG, .run = run,
};
