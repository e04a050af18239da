/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/launch/plan.h"

/* What runs is ended before systemd is asked for anything, and all that it was in goes before what it could see. */
static void add_processes(const Record *r, LaunchPlan *plan) {
        *launch_add_kill(plan) = (LaunchKill){ .cgroup = r->cgroup, .pid = r->committed ? r->pid : 0 };
        if (home_is_supervised(r->home))
                launch_add_stop_service(plan)->name = r->unit;
        if (!r->committed && r->home == HOME_SCOPE)
                *launch_add_end_request(plan) = (LaunchEndRequest){ .pid = r->pid };
        if (r->home == HOME_SCOPE)
                *launch_add_stop_unit(plan) = (LaunchStopUnit){ .name = r->unit, .invocation = r->invocation_id };
        if (r->cgroup)
                *launch_add_remove_cgroup(plan) = (LaunchRemoveCgroup){ .path = r->cgroup };
        if (r->rdt_group && (r->rdt_own || r->rdt_monitored))
                *launch_add_remove_rdt(plan) = (LaunchRemoveRdt){ .group = r->rdt_group, .monitor = r->rdt_own ? NULL : r->id };
        if (r->home == HOME_CGROUP && r->cgroup_id == 0)
                *launch_add_remove_empty(plan) = (LaunchRemoveEmpty){ .path = r->cgroup };
        if (r->mount_id != 0)
                *launch_add_unmount(plan) = (LaunchUnmount){ .path = r->rootfs, .id = r->mount_id };
}

/* systemd calls us for those of a service when its process has ended. */
static bool has_hooks_to_run(const Record *r, bool this_boot) {
        return r->hooks[HOOK_POSTSTOP].n > 0 && !(home_is_supervised(r->home) && this_boot);
}

void launch_plan_remove(const Record *record, bool this_boot, LaunchPlan *ret) {
        const SpecHooks *hooks = &record->hooks[HOOK_POSTSTOP];

        *ret = (LaunchPlan){};
        if (this_boot)
                add_processes(record, ret);
        (void) launch_add_forget(ret);
        if (has_hooks_to_run(record, this_boot))
                *launch_add_poststop(ret) = (LaunchPoststop){ .hooks = *hooks };
}
