/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/launch.h"

/* Does to the process, which is ready, what the plan leaves to us, because the helper has no privilege for it any more in a
 * user namespace: its scheduler and its I/O priority, and the pipes on its standard descriptors, which are ours as well,
 * become those of its user. */
int launch_finish(const Launch *l, const InitPlan *plan, const SpecProcess *process, Error *reterr);
