/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/unit/plan.h"

/*
 * Our own filter of the devices of a cgroup, for what systemd's cannot say. Both are asked, and so are those of the
 * cgroups above; neither of us touches what the other has attached. It goes away with the cgroup. The descriptors are of
 * programs. All return -errno.
 */

/* Of the plan's rules; not attached yet. With reterr. */
int device_filter_load(const UnitPlan *plan, Error *reterr);

/* Ours on this cgroup, or -ENOENT. */
int device_filter_find(int cgroup);

/* The new in place of the old, without a moment in between. new -EBADF: just takes the old one away; old -EBADF: there is
 * none. */
int device_filter_replace(int cgroup, int old, int new);
