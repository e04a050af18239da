/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "steps/steps.h"

/* Where a container lives (plan/launch/steps.def, SCOPE and CGROUP): asked for when there is a process for it, and settled
 * when that is in it. */

/* Asks for it; 1 when there is nothing to wait for. */
int home_request(StepContext *c, Error *reterr);
/* systemd has started the scope: it must be the cgroup of our process, and is then recorded. */
int scope_settle(StepContext *c, Error *reterr);
/* A cgroup in the caller's unit, which is then recorded. *ret: a descriptor of it. */
int cgroup_make(StepContext *c, int *ret, Error *reterr);

/* Saves in the record which process it is, or, not yet committed, is to be. -ESRCH. */
int home_note_process(StepContext *c, bool committed, Error *reterr);
