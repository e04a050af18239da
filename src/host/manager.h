/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "host/unit-ref.h"
#include "plan/unit/plan.h"

/*
 * A connection to systemd (org.freedesktop.systemd1(5)): the system manager, or the user's. Every wait has a
 * deadline (µs on CLOCK_MONOTONIC). Errors of systemd come out as -EREMOTEIO with its own words, -ETIMEDOUT when
 * it did not answer in time.
 */
typedef struct Manager Manager;

/* Long enough for a manager with thousands of units to reload, short enough to end; and how long one may be silent that
 * does nothing. */
#define MANAGER_TIMEOUT_USEC (30 * 1000000ULL)
#define MANAGER_SILENCE_USEC (5 * 1000000ULL)

/* Starts to connect and returns at once. For the user's manager the error says what is missing. */
int manager_open(const Caller *caller, bool user, Manager **ret, Error *reterr);
Manager *manager_close(Manager *m);
#define _cleanup_manager_ _cleanup_(manager_closep)
static inline void manager_closep(Manager **m) {
        (void) manager_close(*m);
}

/*
 * StartTransientUnit for the plan's scope with this process in it, as far as sending: systemd works while we do
 * something else. Then poll() fd and events, and call manager_dispatch() whenever they fire: 0 while the job
 * runs, 1 once it is done, negative when it failed. PIDFDs where the manager takes them, else PIDs; optional
 * properties that it does not know are dropped; a failed unit of the same name is reset once.
 */
int manager_start_scope(Manager *m, const UnitPlan *plan, pid_t pid, int pidfd, Error *reterr);
int manager_poll_fd(Manager *m);
short manager_poll_events(Manager *m);
int manager_dispatch(Manager *m, Error *reterr);
/* Until when what was asked for is to be waited for; later, each time, for a systemd that is seen at work. */
uint64_t manager_wait_until(Manager *m, uint64_t deadline);
/* Then: what has not been answered, or not been done. */
int manager_give_up(const Manager *m, Error *reterr);

/* Did the scope that was started, or changed last, have to do without this optional property? */
bool manager_dropped(const Manager *m, const char *property);

/* After a failure: makes sure that nothing remains of a scope that manager_start_scope() asked for, and leaves one
 * alone that somebody else has under that name. invocation: of it, if that is known. Waits, but not past the deadline. */
void manager_abandon_scope(Manager *m, const char *invocation, uint64_t deadline);

/* Stopped, and waited for; our scopes are forgotten once they stopped (CollectMode=inactive-or-failed). A unit that does
 * not exist is success. */
int manager_stop_unit(Manager *m, UnitRef unit, uint64_t deadline, Error *reterr);

/* Does nothing run in the unit but processes whose command line begins with this? 0 or 1; 0 when there is no such unit. In
 * one that waits for others to start nothing runs yet: ask for its invocation first. */
int manager_unit_runs_only(Manager *m, const char *unit, const char *command, Error *reterr);

/* Freeze, Thaw: return when it has happened. */
int manager_freeze_unit(Manager *m, UnitRef unit, bool freeze, Error *reterr);

/* AttachProcesses: into a cgroup of the unit, "" for its own or "/a/b" below that, from a cgroup out of which who
 * calls may not move it but the system's systemd may. */
int manager_attach_process(Manager *m, UnitRef unit, const char *below, pid_t pid, Error *reterr);

int manager_get_u64(Manager *m, UnitRef unit, const char *property, uint64_t *ret, Error *reterr);

/* SetProperties(runtime=true) with the plan's properties: all of them or none, but for optional ones that it does not
 * know (manager_dropped()). */
int manager_set_properties(Manager *m, UnitRef unit, const UnitPlan *plan, Error *reterr);
/* Keeps what they are before they are set, and puts it back: nothing, if they were not set since. */
int manager_save_properties(Manager *m, UnitRef unit, const UnitPlan *plan, Error *reterr);
int manager_restore_properties(Manager *m, UnitRef unit, Error *reterr);
