/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/status.h"
#include "test.h"

/* One row for each combination of committed, alive, creating, gated, frozen, in binary order. */
static const char table[32][9] = {
        "stopped",  "stopped",  "stopped",  "stopped",  /* nothing but traces of a create */
        "creating", "creating", "creating", "creating", /* a create that has no init yet */
        "creating", "creating", "creating", "creating", /* one that failed: its init is ending */
        "creating", "creating", "creating", "creating",
        "stopped",  "stopped",  "stopped",  "stopped",  /* committed, and init is gone */
        "stopped",  "stopped",  "stopped",  "stopped",
        "running",  "paused",   "created",  "paused",
        "running",  "paused",   "created",  "paused",
};

int main(void) {
        TEST("the status for every combination of facts");
        for (unsigned i = 0; i < 32; i++) {
                const StatusFacts facts = {
                        .committed = i & 16, .alive = i & 8, .creating = i & 4, .gated = i & 2, .frozen = i & 1,
                };

                if (strcmp(status_name(status_derive(&facts)), table[i]) != 0)
                        FAIL_AT("row %u: %s, expected %s", i, status_name(status_derive(&facts)), table[i]);
        }
        return 0;
}
