/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

#include "host/caller.h"
#include "plan/launch/record.h"

/* Which unit is meant. That of this name may be another one by now; an InvocationID is that of one start of one unit. */
typedef struct UnitRef {
        const char *name;
        const char *invocation; /* NULL: not known, and the name has to do */
} UnitRef;

static inline UnitRef record_unit(const Record *r) {
        return (UnitRef){ .name = r->unit, .invocation = r->invocation_id };
}

/* The InvocationID that the unit of this name has now, of the system's systemd or of the user's, without asking it: it
 * keeps that in a link before a process is in the unit, and as long as there is one. For free(), or NULL. */
char *unit_invocation(const Caller *caller, const char *name, bool user);
