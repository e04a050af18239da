/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/caller.h"
#include "cli/grace.h"
#include "cli/ids.h"
#include "cli/verb.h"

typedef struct RestartOptions {
        const char *time;
        uint64_t grace;
} RestartOptions;

static const Option options[] = {
        { .name = "time", .letter = 't', .offset = offsetof(RestartOptions, time), .type = OPTION_STRING,
          .argument = "TIME", .help = "Until SIGKILL (default: its --stop-timeout)" },
        OPTION_END,
};

static int restart_one(const Runtime *rt, const char *id, void *target, Error *reterr) {
        const RestartOptions *o = target;

        return runtime_restart(rt, id, caller_program(), o->grace, reterr);
}

static int restart(const Runtime *rt, void *target, char **words, Error *reterr) {
        RestartOptions *o = target;
        int r = grace_parse(o->time, &o->grace, reterr);

        return r < 0 ? r : on_each(rt, words, false, restart_one, o, reterr);
}

const Verb verb_restart = {
        .name = "restart", .arguments = "ID...", .summary = "Stop a supervised container, and start it again",
        .example = "restart web",
        .options = options, .options_size = sizeof(RestartOptions), .order = OPTIONS_ANYWHERE,
        .min_words = 1, .max_words = UINT32_MAX, .run = restart,
};
