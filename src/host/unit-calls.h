/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/manager.h"
#include "host/unit-ref.h"

/* Calls for a unit that make no job: systemd's answer is the end of it. */

/* Does nothing run in the unit but processes whose command line begins with this? 0 or 1; 0 when there is no such unit. In
 * one that waits for others to start nothing runs yet: ask for its invocation first. */
int manager_unit_runs_only(Manager *m, const char *unit, const char *command, Error *reterr);

/* Freeze, Thaw: return when it has happened. -EAGAIN when a job of the unit's is in the way. */
int manager_freeze_unit(Manager *m, UnitRef unit, bool freeze, Error *reterr);

/* AttachProcesses: into a cgroup of the unit, "" for its own or "/a/b" below that, from a cgroup out of which who
 * calls may not move it but the system's systemd may. */
int manager_attach_process(Manager *m, UnitRef unit, const char *below, pid_t pid, Error *reterr);

/* That it failed is forgotten, and so is a unit that was kept for that alone. */
int manager_reset_failed(Manager *m, const char *unit, Error *reterr);

/* The path of its object: that of its invocation leads to this very unit or to none. For free(). */
char *unit_object(UnitRef unit);
/* The interface of its own kind: a scope's or a service's. */
const char *unit_interface(const char *name);
/* By the D-Bus name of the error. */
bool unit_is_unknown(const char *name);
