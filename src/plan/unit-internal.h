/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/unit-plan.h"

/* Between the unit-*.c files: the list that they fill, and who fills what. */

/* The first property of that name, or NULL. */
UnitProp *unit_plan_find(const UnitPlan *plan, const char *name);

/* Appends a property, zeroed but for name and type. The result and all earlier ones are valid until the next
 * call. */
UnitProp *unit_plan_add(UnitPlan *plan, const char *name, UnitType type);
UnitProp *unit_plan_add_bool(UnitPlan *plan, const char *name, bool value);
UnitProp *unit_plan_add_u64(UnitPlan *plan, const char *name, uint64_t value);
UnitProp *unit_plan_add_string(UnitPlan *plan, const char *name, const char *value);

/* One element more for a UNIT_PAIRS or UNIT_WEIGHTS property. */
void unit_prop_add_pair(UnitPlan *plan, UnitProp *prop, const char *name, const char *value);
void unit_prop_add_weight(UnitPlan *plan, UnitProp *prop, const char *path, uint64_t value);

/* Appends a cgroup file. file, value and path are copied. */
CgroupWrite *unit_plan_write(UnitPlan *plan, const char *file, const char *value, const char *path);

/* "linux.resources" but for unified, devices; what is typed. */
int unit_add_memory(UnitPlan *plan, const SpecResources *r, Error *reterr);
int unit_add_cpu(UnitPlan *plan, const SpecResources *r, bool update, Error *reterr);
void unit_add_pids(UnitPlan *plan, const SpecResources *r);
int unit_add_block_io(UnitPlan *plan, const SpecResources *r, Error *reterr);
int unit_add_others(UnitPlan *plan, const SpecResources *r, Error *reterr);

/* linux.resources.unified, after all typed resources: a typed value wins over a unified one. */
int unit_add_unified(UnitPlan *plan, const SpecResources *r, bool update, Error *reterr);

/* The device rules with the defaults behind them. devices: linux.devices, which may replace defaults. */
int unit_add_devices(UnitPlan *plan, const SpecResources *r, const SpecDevice *devices, size_t n_devices,
                     bool update, Error *reterr);

/* org.systemd.property.*, after all else. */
int unit_add_annotations(UnitPlan *plan, const Spec *spec, Error *reterr);

/* Pieces that typed and unified resources share; path is the JSON path for the error. */
int unit_add_cpuset(UnitPlan *plan, const char *name, const char *list, const char *path, Error *reterr);
void unit_add_cpu_quota(UnitPlan *plan, uint64_t quota, uint64_t period);
uint64_t unit_weight_from_bfq(uint64_t weight);

/* Is this a syntactically valid name of a unit with one of these suffixes? suffixes: NULL-terminated, with
 * the dot. */
bool unit_name_is_plain(const char *name, const char *const *suffixes);
