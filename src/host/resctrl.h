/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/types.h>

#include "basic/error.h"
#include "plan/rdt-plan.h"

/*
 * The resctrl file system (Documentation/filesystems/resctrl.rst): groups of processes with their share of caches and
 * memory bandwidth. Everything goes by its root's descriptor. Errors name the property, and end in the kernel's own
 * words where it has any (info/last_cmd_status).
 */

/* Its root, wherever it is mounted; -EOPNOTSUPP. */
int resctrl_open(Error *reterr);

/* Could the plan be carried out? Changes nothing. 1: the group is to be made. */
int resctrl_check(int root, const RdtPlan *plan, Error *reterr);

/* Makes the groups, and writes what the plan says. *ret_made: the first group was not there. On failure nothing is left
 * of what it made. */
int resctrl_make(int root, const RdtPlan *plan, bool *ret_made, Error *reterr);

/* Writes the plan's lines into a group that exists. */
int resctrl_write(int root, const RdtPlan *plan, Error *reterr);

/* Puts one thread there. monitor: or NULL. */
int resctrl_assign(int root, const char *group, const char *monitor, pid_t pid, Error *reterr);

/* Removes the group, or only the one below it that monitors; no error when there is none. */
int resctrl_remove(int root, const char *group, Error *reterr);
int resctrl_remove_monitor(int root, const char *group, const char *monitor, Error *reterr);
/* The group, if nobody is in it. */
void resctrl_remove_empty(int root, const char *group);
