/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The limits of a new container, and a change of those of one that runs. Properties of a new unit are the scope's (SCOPE). */
#include "plan/launch/plan.h"

static void add_checks(const UnitPlan *unit, LaunchPlan *plan) {
        for (const UnitProp *p = unit->props; p < unit->props + unit->n_props; p++)
                if (unit_prop_file(p))
                        launch_add_check_limit(plan)->property = p;
}

/* The kernel may refuse devices, and sets of CPUs. */
static void add_verifications(const UnitPlan *unit, LaunchPlan *plan) {
        for (const UnitProp *p = unit->props; p < unit->props + unit->n_props; p++)
                if (unit_prop_file(p) && (p->type == UNIT_BYTES || p->type == UNIT_WEIGHTS))
                        launch_add_verify_limit(plan)->property = p;
}

static void add_write(const CgroupWrite *w, LaunchPlan *plan) {
        launch_add_write_limit(plan)->limit = w;
        if (streq(w->file, "cpuset.cpus.partition"))
                launch_add_verify_partition(plan)->limit = w;
}

/* All is new: nothing was there to be saved, and what fails takes the whole cgroup away. */
void launch_plan_add_limits(const UnitPlan *unit, LaunchPlan *plan) {
        add_checks(unit, plan);
        add_verifications(unit, plan);
        if (unit->n_rules > 0)
                launch_add_filter_devices(plan)->rules = unit;
        for (const CgroupWrite *w = unit->writes; w < unit->writes + unit->n_writes; w++)
                add_write(w, plan);
}

/* What stands for a property comes behind those, as it shows then whether systemd knows it; and so does a burst above the
 * quota in force, which is refused. */
static bool has_to_wait(const CgroupWrite *w, const LimitsNow *now) {
        return w->instead_of || (streq(w->file, "cpu.max.burst") && strtoull(w->value, NULL, 10) > now->cpu_quota.v);
}

static void change_files(const UnitPlan *unit, const LimitsNow *now, bool late, LaunchPlan *plan) {
        for (const CgroupWrite *w = unit->writes; w < unit->writes + unit->n_writes; w++)
                if (has_to_wait(w, now) == late) {
                        launch_add_save_limit(plan)->file = w->file;
                        add_write(w, plan);
                }
}

/* Our filter comes before systemd's set of devices, and one that goes away goes after it: so nothing is allowed at any time
 * that neither the old nor the new list allows. */
static void change_filter(const UnitPlan *unit, bool late, LaunchPlan *plan) {
        if (!unit->sets_devices || late != (unit->n_rules == 0))
                return;
        (void) launch_add_save_filter(plan);
        launch_add_filter_devices(plan)->rules = unit;
}

static void add_late(const UnitPlan *unit, const LimitsNow *now, LaunchPlan *plan) {
        change_files(unit, now, true, plan);
        change_filter(unit, true, plan);
        add_verifications(unit, plan);
}

void launch_plan_update(const UnitPlan *unit, const LimitsNow *now, LaunchPlan *ret) {
        _cleanup_launch_plan_ LaunchPlan late = {};

        *ret = (LaunchPlan){};
        add_late(unit, now, &late);
        add_checks(unit, ret);
        change_files(unit, now, false, ret);
        change_filter(unit, false, ret);
        if (unit->n_props > 0 && late.n_steps > 0) /* what is last is not undone */
                launch_add_save_properties(ret)->properties = unit;
        if (unit->n_props > 0)
                launch_add_set_properties(ret)->properties = unit;
        add_late(unit, now, ret);
}
