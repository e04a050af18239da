/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/launch/plan.h"

/* What stands for a property comes behind those, as it shows then whether systemd knows it; and so does a burst above the
 * quota in force, which is refused. */
static bool has_to_wait(const CgroupWrite *w, const LimitsNow *now) {
        return w->instead_of || (streq(w->file, "cpu.max.burst") && strtoull(w->value, NULL, 10) > now->cpu_quota.v);
}

static void add_writes(const UnitPlan *unit, const LimitsNow *now, bool late, LaunchPlan *plan) {
        for (size_t i = 0; i < unit->n_writes; i++)
                if (has_to_wait(&unit->writes[i], now) == late)
                        *launch_add_write_limit(plan) = (LaunchWriteLimit){ .limit = &unit->writes[i] };
}

/* Devices, and sets of CPUs. */
static bool kernel_may_refuse(const UnitPlan *unit) {
        for (size_t i = 0; i < unit->n_props; i++)
                if (unit->props[i].type == UNIT_BYTES || unit->props[i].type == UNIT_WEIGHTS)
                        return true;
        return false;
}

/* Our filter comes before systemd's set of devices, and one that goes away goes after it: so nothing is allowed at any time
 * that neither the old nor the new list allows. */
static void add_filter(const UnitPlan *unit, bool late, LaunchPlan *plan) {
        if (unit->sets_devices && late == (unit->n_rules == 0))
                *launch_add_filter_devices(plan) = (LaunchFilterDevices){ .rules = unit };
}

static void add_late(const UnitPlan *unit, const LimitsNow *now, LaunchPlan *plan) {
        add_writes(unit, now, true, plan);
        add_filter(unit, true, plan);
        if (kernel_may_refuse(unit))
                *launch_add_verify_limits(plan) = (LaunchVerifyLimits){ .properties = unit };
}

void launch_plan_update(const UnitPlan *unit, const LimitsNow *now, LaunchPlan *ret) {
        _cleanup_launch_plan_ LaunchPlan late = {};

        *ret = (LaunchPlan){};
        add_late(unit, now, &late);
        if (unit->n_props > 0)
                *launch_add_check_limits(ret) = (LaunchCheckLimits){ .properties = unit };
        add_writes(unit, now, false, ret);
        add_filter(unit, false, ret);
        if (unit->n_props > 0 && late.n_steps > 0) /* what is last is not undone */
                *launch_add_save_properties(ret) = (LaunchSaveProperties){ .properties = unit };
        if (unit->n_props > 0)
                *launch_add_set_properties(ret) = (LaunchSetProperties){ .properties = unit };
        add_late(unit, now, ret);
}
