/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "basic/str.h"
#include "cli/verb.h"

#define DEFAULT_GRACE_SECONDS 10U

typedef struct StopOptions {
        const char *signal, *time;
} StopOptions;

static const Option options[] = {
        { .name = "signal", .letter = 's', .offset = offsetof(StopOptions, signal), .type = OPTION_STRING,
          .argument = "SIGNAL", .help = "The first signal (the image's, else TERM)" },
        { .name = "time", .letter = 't', .offset = offsetof(StopOptions, time), .type = OPTION_STRING,
          .argument = "SECONDS", .help = "Until SIGKILL (default: 10; -1: never)" },
        OPTION_END,
};

static int stop(const Runtime *rt, void *target, char **words, Error *reterr) {
        StopOptions *o = target;
        int64_t seconds = DEFAULT_GRACE_SECONDS;
        int signal = 0;

        if (o->signal && (signal = parse_signal(o->signal)) < 0)
                return error_setf(reterr, EINVAL, "--signal: unknown signal \"%s\"", o->signal);
        if (o->time && (parse_i64(o->time, &seconds) < 0 || seconds < -1 || seconds > INT32_MAX))
                return error_setf(reterr, EINVAL, "--time: expected a number of seconds, got \"%s\"", o->time);
        return runtime_stop(rt, words[0], signal, seconds < 0 ? UINT64_MAX : (uint64_t) seconds * 1000000, reterr);
}

const Verb verb_stop = {
        .name = "stop", .arguments = "ID", .summary = "End all processes of a container, and keep it",
        .options = options, .options_size = sizeof(StopOptions), .order = OPTIONS_ANYWHERE,
        .min_words = 1, .max_words = 1, .run = stop,
};
