/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "basic/str.h"
#include "cli/ids.h"
#include "cli/verb.h"

typedef struct KillOptions {
        bool all, regex;
        const char *signal_name, *session;
        int signal;
} KillOptions;

/* As with kill(1). */
#define SIGNAL_AS_OPTION(name) OPTION_ELSEWHERE(name, 0, "the signal comes after the ID: ocirt-sd kill ID " name)

static const Option options[] = {
        { .name = "signal", .letter = 's', .offset = offsetof(KillOptions, signal_name), .type = OPTION_STRING,
          .argument = "SIGNAL", .help = "The signal, where there are several IDs" },
        { .name = "session", .offset = offsetof(KillOptions, session), .type = OPTION_STRING, .argument = "SESSION",
          .help = "What exec --detach has started there" },
        { .name = "all", .letter = 'a', .offset = offsetof(KillOptions, all), .type = OPTION_FLAG,
          .help = "Every process, not only the first" },
        { .name = "regex", .letter = 'r', .offset = offsetof(KillOptions, regex), .type = OPTION_FLAG,
          .help = "ID is an extended regular expression" },
        SIGNAL_AS_OPTION("9"), SIGNAL_AS_OPTION("15"), SIGNAL_AS_OPTION("1"), SIGNAL_AS_OPTION("KILL"),
        SIGNAL_AS_OPTION("TERM"), SIGNAL_AS_OPTION("HUP"), SIGNAL_AS_OPTION("INT"), SIGNAL_AS_OPTION("USR1"),
        OPTION_END,
};

static int kill_one(const Runtime *rt, const char *id, void *target, Error *reterr) {
        KillOptions *o = target;

        if (o->session)
                return runtime_kill_session(rt, id, o->session, o->signal, reterr);
        return runtime_kill(rt, id, o->signal, o->all, reterr);
}

static int kill_verb(const Runtime *rt, void *target, char **words, Error *reterr) {
        KillOptions *o = target;
        const char *signal = o->signal_name ?: words[1] ?: "TERM";

        if (!o->signal_name && words[1] && words[2])
                return error_setf(reterr, EINVAL, "kill: expected ID and SIGNAL, or --signal SIGNAL and several IDs");
        o->signal = streq(signal, "0") ? 0 : parse_signal(signal); /* 0, as in kill(2): is it there? */
        if (o->signal < 0)
                return error_setf(reterr, EINVAL, "kill: unknown signal \"%s\"%s", signal,
                                  o->signal_name ? "" : " (for several IDs: --signal SIGNAL)");
        if (!o->signal_name)
                words[1] = NULL;
        return on_each(rt, words, o->regex, kill_one, o, reterr);
}

const Verb verb_kill = {
        .name = "kill", .arguments = "ID [SIGNAL] | ID...", .summary = "Send a signal to a container (default: TERM)",
        .example = "kill web HUP",
        .options = options, .options_size = sizeof(KillOptions), .order = OPTIONS_ANYWHERE,
        .min_words = 1, .max_words = UINT32_MAX, .run = kill_verb,
};
