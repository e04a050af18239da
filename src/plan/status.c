/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/status.h"

Status status_derive(const StatusFacts *facts) {
        /* A create that went wrong leaves an init without a launcher for a moment: it is still ending. */
        if (!facts->committed)
                return facts->creating || facts->alive ? STATUS_CREATING : STATUS_STOPPED;
        if (!facts->alive)
                return STATUS_STOPPED;
        /* Before "created": what is frozen cannot be started, only resumed. */
        if (facts->frozen)
                return STATUS_PAUSED;
        return facts->gated ? STATUS_CREATED : STATUS_RUNNING;
}

const char *status_name(Status status) {
        static const char *const names[] = {
                [STATUS_CREATING] = "creating", [STATUS_CREATED] = "created", [STATUS_RUNNING] = "running",
                [STATUS_PAUSED] = "paused",     [STATUS_STOPPED] = "stopped",
        };

        return names[status];
}
