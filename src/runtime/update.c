/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "basic/fd.h"
#include "host/observe.h"
#include "runtime/find.h"
#include "runtime/runtime.h"
#include "steps/limits.h"
#include "steps/steps.h"

/* Where there is no quota, systemd keeps the period that was asked for out of the cgroup. */
static int read_period(StepContext *s, const SpecResources *resources, LimitsNow *now, Error *reterr) {
        const Record *record = &s->container->record;
        uint64_t period;
        Manager *m;
        int r;

        if (!home_is_unit(record->home) || !now->cpu_quota.set || now->cpu_quota.v != UINT64_MAX ||
            (!resources->cpu.quota.set && resources->n_unified == 0))
                return 0;
        r = step_manager(s, &m, reterr);
        if (r == 0)
                r = manager_get_u64(m, record_unit(record), "CPUQuotaPeriodUSec", &period, reterr);
        if (r == 0 && period != UINT64_MAX)
                now->cpu_period.v = period;
        return r;
}

/* With what is in force. */
static int plan(StepContext *s, const SpecResources *given, UnitPlan *ret_unit, LaunchPlan *ret, Error *reterr) {
        const Record *record = &s->container->record;
        SpecResources resources = *given;
        LimitsNow now;
        int r;

        limits_read(s->cgroup, &now);
        now.cgroup = home_is_cgroup(record->home) ? record->cgroup : NULL;
        spec_settle_pids(record->oci_version, &resources);
        r = read_period(s, &resources, &now, reterr);
        if (r == 0)
                r = unit_plan_build_update(&resources, &s->rt->facts, &now, ret_unit, reterr);
        if (r == 0)
                launch_plan_update(ret_unit, &now, ret);
        return r;
}

static int change(const Runtime *rt, Container *c, const SpecResources *resources, Error *reterr) {
        _cleanup_close_ int cgroup = container_need_cgroup(c, "update", reterr);
        StepContext context = STEP_CONTEXT_NONE;
        _cleanup_operation_ Operation operation = { .kinds = step_kinds, .context = &context };
        _cleanup_launch_plan_ LaunchPlan steps = {};
        _cleanup_(unit_plan_done) UnitPlan unit = {};
        int r;

        if (cgroup < 0)
                return cgroup;
        context.rt = rt;
        context.container = c;
        context.cgroup = cgroup;
        r = plan(&context, resources, &unit, &steps, reterr);
        if (r == 0)
                r = operation_run(&operation, &steps, reterr);
        step_context_done(&context);
        return r;
}

int runtime_update(const Runtime *rt, const char *id, const SpecResources *resources, Error *reterr) {
        _cleanup_container_ Container c = { .dir = -EBADF };
        int r;

        r = runtime_find(rt, id, LOCK_WAIT, &c, reterr);
        if (r < 0)
                return r;
        if (container_status(&c) == STATUS_STOPPED)
                return error_setf(reterr, EBUSY, "cannot update container %s: container not running", id);
        return container_blame_end(&c, "update", change(rt, &c, resources, reterr), reterr);
}
