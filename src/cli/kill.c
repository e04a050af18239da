/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "basic/str.h"
#include "cli/regex.h"
#include "cli/verb.h"

typedef struct KillOptions {
        bool all, regex;
        int signal;
} KillOptions;

static const Option options[] = {
        { .name = "all", .letter = 'a', .offset = offsetof(KillOptions, all), .type = OPTION_FLAG,
          .help = "Every process, not only the first" },
        { .name = "regex", .letter = 'r', .offset = offsetof(KillOptions, regex), .type = OPTION_FLAG,
          .help = "ID is an extended regular expression" },
        OPTION_END,
};

static int kill_one(const Runtime *rt, const char *id, void *target, Error *reterr) {
        KillOptions *o = target;

        return runtime_kill(rt, id, o->signal, o->all, reterr);
}

static int kill_verb(const Runtime *rt, void *target, char **words, Error *reterr) {
        KillOptions *o = target;
        const char *signal = words[1] ?: "TERM";

        o->signal = streq(signal, "0") ? 0 : parse_signal(signal); /* 0, as in kill(2): is it there? */
        if (o->signal < 0)
                return error_setf(reterr, EINVAL, "kill: unknown signal \"%s\"", signal);
        return o->regex ? regex_for_each(rt, words[0], kill_one, o, reterr) : kill_one(rt, words[0], o, reterr);
}

const Verb verb_kill = {
        .name = "kill", .arguments = "ID [SIGNAL]", .summary = "Send a signal (default: TERM)",
        .options = options, .options_size = sizeof(KillOptions), .order = OPTIONS_ANYWHERE,
        .min_words = 1, .max_words = 2, .run = kill_verb,
};
