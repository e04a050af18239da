/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>

#include "cli/verb.h"

typedef struct WaitOptions {
        const char *condition;
        uint64_t timeout;
        bool exit_status;
} WaitOptions;

static const Option options[] = {
        { .name = "condition", .offset = offsetof(WaitOptions, condition), .type = OPTION_STRING, .argument = "STATE",
          .help = "created, running, stopped (default) or removed" },
        { .name = "timeout", .letter = 't', .offset = offsetof(WaitOptions, timeout), .type = OPTION_TIME,
          .argument = "TIME", .help = "Wait no longer than that" },
        { .name = "exit-status", .offset = offsetof(WaitOptions, exit_status), .type = OPTION_FLAG,
          .help = "Exit with its status instead of printing it" },
        OPTION_END,
};

static int parse_condition(const char *word, WaitCondition *ret, Error *reterr) {
        static const char *const words[] = { [WAIT_CREATED] = "created", [WAIT_RUNNING] = "running",
                                             [WAIT_STOPPED] = "stopped", [WAIT_REMOVED] = "removed" };

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (streq(words[i], word)) {
                        *ret = (WaitCondition) i;
                        return 0;
                }
        return error_setf(reterr, EINVAL, "--condition: expected created, running, stopped or removed, got \"%s\"",
                          word);
}

static int wait_verb(const Runtime *rt, void *target, char **words, Error *reterr) {
        const WaitOptions *o = target;
        WaitCondition condition = WAIT_STOPPED;
        int status = 0, r;

        r = o->condition ? parse_condition(o->condition, &condition, reterr) : 0;
        if (r == 0)
                r = runtime_wait(rt, words[0], words[1], condition, o->timeout ?: UINT64_MAX, &status, reterr);
        if (r < 0 || o->exit_status)
                return r < 0 ? r : status;
        if (condition == WAIT_STOPPED)
                printf("%d\n", status);
        return 0;
}

const Verb verb_wait = {
        .name = "wait",
        .arguments = "ID [SESSION]",
        .summary = "Wait until a container has stopped, and print its status",
        .example = "wait --timeout 1min web",
        .options = options,
        .options_size = sizeof(WaitOptions),
        .order = OPTIONS_ANYWHERE,
        .min_words = 1,
        .max_words = 2,
        .run = wait_verb,
};
