/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/manager.h"
#include "host/store.h"
#include "plan/facts.h"

/*
 * What a unit plan asks for besides unit properties, and whether what it asks for is in force: systemd keeps to itself
 * that a controller is missing, or that the kernel refused a value.
 */

/* What is in force. */
void limits_read(int cgroup, LimitsNow *ret);

/* For a new container's cgroup at path: checks what m, which has just started its scope, was asked for, and does the rest.
 * m NULL: there is no unit. user: m is a user's systemd. */
int limits_complete(const Manager *m, bool user, const UnitPlan *plan, int cgroup, const char *path, Error *reterr);

/* Pieces of that, and of a change of limits. Is there a file for each property? systemd passes over those that are not
 * there. user: by whose systemd. */
int limits_check(const UnitPlan *plan, int cgroup, bool user, Error *reterr);
/* Before there is a cgroup: has the one that it will be in the controller of the property? */
int limits_check_controller(const UnitProp *p, int cgroup, bool user, Error *reterr);
/* Did the kernel take what systemd wrote? It may refuse devices and sets of CPUs. */
int limits_verify(const UnitPlan *plan, int cgroup, Error *reterr);
/* With the controller, if systemd does not know it. */
int limits_write(const CgroupWrite *w, int cgroup, const char *path, Error *reterr);
