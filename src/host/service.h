/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/unit-properties.h"
#include "plan/launch/exit.h"

/* A container's service, which systemd runs by calling us (plan/unit/service.c). */

/* StartTransientUnit for the plan, and its job waited for, however long its hooks take. */
int service_start(Manager *m, UnitProperties *properties, Error *reterr);

/* StartUnit of one that systemd knows already, or RestartUnit, with the job waited for as long. */
int service_start_known(Manager *m, const char *name, bool restart, Error *reterr);

/* Is it a service that calls this verb of ours for this container of this root directory? 0 or 1. Its processes and its
 * invocations come and go. */
int service_is_of(Manager *m, const char *name, const char *root, const char *id, Error *reterr);

/* The same for a session of that container. */
int service_is_of_session(Manager *m, const char *name, const char *root, const char *id, const char *session,
                          Error *reterr);

/* Is there none such that runs, or is about to be started again? 0 or 1. */
int service_has_ended(Manager *m, const char *name, const char *root, const char *id, Error *reterr);

/* Is it about to be started once more, by itself or by somebody's job? 0 or 1. */
int service_begins_again(Manager *m, const char *name);
/* How it has ended the last time, as the unit says: Result, ExecMainCode, InvocationID, … and whether that was asked for.
 * Strings in a. -EBUSY: it has not ended. */
int service_read_end(Manager *m, const char *name, Arena *a, Exit *ret, Error *reterr);
/* TimeoutStopUSec=, in µs; UINT64_MAX: for ever. */
int service_stop_timeout(Manager *m, const char *name, uint64_t *ret, Error *reterr);
/* Stopped, and not started again, in the time that the unit has for that; and what follows its end, which is the other unit,
 * has been done. */
int service_stop(Manager *m, const char *name, const char *end, Error *reterr);
/* And that it failed is forgotten, and with that the unit, if it is ours. */
int service_remove(Manager *m, const char *name, const char *end, Error *reterr);
