/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Not for people: what the units of supervised containers call (systemd.service(5), ExecStart= and ExecStopPost=). */
#include <stdlib.h>

#include "cli/caller.h"
#include "cli/verb.h"

static int start(const Runtime *rt, void *unused, char **words, Error *reterr) {
        return runtime_service_start(rt, words[0], caller_program(), reterr);
}

static int ended(const Runtime *rt, void *unused, char **words, Error *reterr) {
        const Exit seen = {
                .result = getenv("SERVICE_RESULT") ?: "unknown",
                .code = getenv("EXIT_CODE"),
                .status = getenv("EXIT_STATUS"),
                .invocation = getenv("INVOCATION_ID"),
        };

        return runtime_service_ended(rt, words[0], &seen, reterr);
}

const Verb verb_service_start = {
        .name = "service-start", .arguments = "ID", .summary = "For systemd: start a supervised container",
        .min_words = 1, .max_words = 1, .run = start,
};

const Verb verb_service_ended = {
        .name = "service-ended", .arguments = "ID", .summary = "For systemd: note how a supervised container ended",
        .min_words = 1, .max_words = 1, .run = ended,
};
