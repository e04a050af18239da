/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Not for people: what the units of supervised containers call (systemd.service(5), ExecStart= and its like). */
#include "cli/caller.h"
#include "cli/verb.h"

typedef struct StartOptions {
        const char *bundle;
} StartOptions;

static const Option start_options[] = {
        { .name = "bundle",
          .letter = 'b',
          .offset = offsetof(StartOptions, bundle),
          .type = OPTION_STRING,
          .argument = "DIR",
          .help = "Make it of this bundle, in the caller's service" },
        OPTION_END,
};

static int start(const Runtime *rt, void *target, char **words, Error *reterr) {
        const StartOptions *o = target;

        int r = words[1] ? runtime_session_start(rt, words[0], words[1], reterr)
                         : runtime_service_start(rt, words[0], o->bundle, caller_program(), reterr);

        if (r >= 0 || !o->bundle)
                return r;
        log_message(LOG_ERROR, "%s", reterr->message);
        runtime_service_said(rt, words[0]);
        return 1;
}

static int stop(const Runtime *rt, void *unused, char **words, Error *reterr) {
        return runtime_service_stop(rt, words[0], reterr);
}

static int ended(const Runtime *rt, void *unused, char **words, Error *reterr) {
        return words[1] ? runtime_session_ended(rt, words[0], words[1], reterr)
                        : runtime_service_ended(rt, words[0], reterr);
}

const Verb verb_service_start = {
        .name = "service-start",
        .arguments = "ID [SESSION]",
        .summary = "For systemd: start a supervised container",
        .options = start_options,
        .options_size = sizeof(StartOptions),
        .order = OPTIONS_ANYWHERE,
        .min_words = 1,
        .max_words = 2,
        .run = start,
};

const Verb verb_service_stop = {
        .name = "service-stop",
        .arguments = "ID",
        .summary = "For systemd: stop a container by its own signal",
        .min_words = 1,
        .max_words = 1,
        .run = stop,
};

const Verb verb_service_ended = {
        .name = "service-ended",
        .arguments = "ID [SESSION]",
        .summary = "For systemd: note how a supervised container ended",
        .min_words = 1,
        .max_words = 2,
        .run = ended,
};
