/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "basic/quantity.h"
#include "cli/grace.h"
#include "cli/ids.h"
#include "cli/verb.h"

typedef struct StopOptions {
        const char *signal_name, *time;
        int signal;      /* 0: the container's own */
        uint64_t grace;
} StopOptions;

static const Option options[] = {
        { .name = "signal", .letter = 's', .offset = offsetof(StopOptions, signal_name), .type = OPTION_STRING,
          .argument = "SIGNAL", .help = "The first signal (the image's, else TERM)" },
        { .name = "time", .letter = 't', .offset = offsetof(StopOptions, time), .type = OPTION_STRING,
          .argument = "TIME", .help = "Until SIGKILL (default: 10s; infinity: never)" },
        OPTION_END,
};

static int stop_one(const Runtime *rt, const char *id, void *target, Error *reterr) {
        const StopOptions *o = target;

        return runtime_stop(rt, id, o->signal, o->grace, reterr);
}

static int stop(const Runtime *rt, void *target, char **words, Error *reterr) {
        StopOptions *o = target;
        int r;

        if (o->signal_name && (o->signal = parse_signal(o->signal_name)) < 0)
                return error_setf(reterr, EINVAL, "--signal: unknown signal \"%s\"", o->signal_name);
        r = grace_parse(o->time, &o->grace, reterr);
        return r < 0 ? r : on_each(rt, words, false, stop_one, o, reterr);
}

const Verb verb_stop = {
        .name = "stop", .arguments = "ID...", .summary = "Stop a container: a signal, some time, then KILL",
        .example = "stop --time 30s web",
        .options = options, .options_size = sizeof(StopOptions), .order = OPTIONS_ANYWHERE,
        .min_words = 1, .max_words = UINT32_MAX, .run = stop,
};
