/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "steps/steps.h"

/* Where a container lives (plan/launch/steps.def, SCOPE and CGROUP): asked for when there is a process for it, and settled
 * when that is in it. */

/* Asks for it, once; 1 when there is nothing to wait for. */
int home_request(StepContext *c, Error *reterr);
/* systemd has started the scope: it must be the cgroup of our process, is then recorded, and gets the rest of the limits. */
int scope_settle(StepContext *c, Error *reterr);
/* A cgroup in the caller's unit, with its limits and with the process in it. */
int cgroup_make(StepContext *c, Error *reterr);
/* The annotation's cgroup below the container's own, if there is one; then the helper hears that it is in its cgroup. */
int home_enter(StepContext *c, int cgroup, Error *reterr);

/* Saves in the record which process it is, or, not yet committed, is to be. -ESRCH. */
int home_note_process(StepContext *c, bool committed, Error *reterr);
