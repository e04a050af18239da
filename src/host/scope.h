/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/marshal.h"
#include "host/unit-properties.h"

/* The scope of a plan, as it is asked for of systemd with a process in it. */
typedef struct Scope {
        Job job;
        UnitProperties *properties;     /* the caller's, and so is their plan */
        ScopeProcess process;
        uint64_t asked;                 /* when; 0: not yet */
        uint64_t deadline;              /* for the job */
        bool was_reset;                 /* a failed unit of its name */
        bool was_lost;                  /* the connection, after the request */
        bool exists;                    /* a service that we asked for before that */
} Scope;

void scope_done(Scope *s);

/*
 * StartTransientUnit, as far as sending: systemd works while we do something else. Then poll() the manager's descriptor,
 * and call scope_dispatch() whenever it fires: 0 while the job runs, 1 once it is done, negative when it failed. PIDFDs
 * where the manager takes them, else PIDs; optional properties that it does not know are dropped; a failed unit of the same
 * name is reset once; if the connection is lost it is asked for again.
 */
/* pid 0: a service, which takes its time. */
int scope_start(Scope *s, Manager *m, UnitProperties *properties, pid_t pid, int pidfd, Error *reterr);
int scope_dispatch(Scope *s, Error *reterr);
/* Until when it is to be waited for; later, each time, for a systemd that is seen at work. */
uint64_t scope_wait_until(Scope *s);
/* Then: what has not been answered, or not been done. */
int scope_give_up(const Scope *s, Error *reterr);

/* After a failure: makes sure that nothing remains of a scope that scope_start() asked for, and leaves one alone that
 * somebody else has under that name. invocation: of it, if that is known. Waits, but not past the deadline. */
void scope_abandon(Scope *s, const char *invocation, uint64_t deadline);

/* Stopped, and waited for; our scopes are forgotten once they stopped (CollectMode=inactive-or-failed). A unit that does
 * not exist is success. */
int manager_stop_unit(Manager *m, UnitRef unit, uint64_t deadline, Error *reterr);
