/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/container.h"
#include "plan/status.h"

/* What is seen of a container, by its record: its process, its cgroup and its unit, if they are still those. */

/* What it is doing now, from the record, its process, its gate and its cgroup. */
Status container_status(const Container *c);

/* A pidfd of its init; -ESRCH. */
int container_open_init(const Container *c);

/* The cgroup that create put its process in, and no other: at its path there may be that of somebody else's unit of the
 * same name by now. -ENOENT: it is gone, or there never was one. */
int container_open_cgroup(const Container *c);
/* The same for who cannot do without: "cannot DO container ID: …". */
int container_need_cgroup(const Container *c, const char *what, Error *reterr);
/* The one that is frozen when it is paused: of a service that it is in, the service's, for which systemd does it. */
int container_open_frozen(const Container *c);
/* The number of that cgroup, if it is not in the record, as with version 0.1.0: so that a verb finds it after the end of its
 * process, too. */
void container_note_cgroup(Container *c);

/* The InvocationID that the unit of its record has now; for free(), or NULL. */
char *container_unit_invocation(const Container *c);
/* Notes it in the record: which start of the unit this is. */
void container_note_invocation(Container *c);

/* For r, a failure in the middle of something: was it the end of the container that was in the way? Then it says that:
 * "cannot DO container ID: container not running". */
int container_blame_end(const Container *c, const char *what, int r, Error *reterr);
