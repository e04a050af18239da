/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/types.h>

#include "plan/unit/plan.h"

struct sd_bus_message;

/* Unit plans into D-Bus messages. Nothing else knows how a property looks on the wire. Return -errno. */

typedef struct ScopeProcess {
        pid_t pid;
        int pidfd;  /* -EBADF: send the pid */
} ScopeProcess;

/* The arguments of StartTransientUnit(s name, s mode, a(sv) properties, a(sa(sv)) aux); skip: by index, or NULL. */
int marshal_start_scope(struct sd_bus_message *m, const UnitPlan *plan, const bool *skip, const ScopeProcess *process);

/* The arguments of SetProperties(b runtime, a(sv) properties); skip: by index, or NULL. */
int marshal_set_properties(struct sd_bus_message *m, const UnitPlan *plan, const bool *skip);

/* The same out of replies to Get, by index into the plan; NULL ones are left out. Reads them. */
int marshal_restore_properties(struct sd_bus_message *m, const UnitPlan *plan,
                               struct sd_bus_message *const *replies);
