/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/error.h"
#include "plan/facts.h"
#include "plan/unit/plan.h"

#define LIMITS_FILE_MAX_BYTES 65536U /* of a file of a cgroup; it has less */

/* The limits of a cgroup. systemd keeps to itself that a controller is missing. */

/* What is in force. */
void limits_read(int cgroup, LimitsNow *ret);

/* Is there a file for the property, which has one? user: if not, the systemd that it was asked of is that of a user. */
int limits_check(const UnitProp *p, int cgroup, bool user, Error *reterr);
/* Before there is a cgroup: has the one that it will be in the controller of the property? */
int limits_check_controller(const UnitProp *p, int cgroup, bool user, Error *reterr);

/* "memory" of "memory.max"; the caller frees it. */
char *limits_controller_of(const char *file);
/* Does any limit hold there without such a file? */
bool limits_hold_without_file(int cgroup, const char *file);
