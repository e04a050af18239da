/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "basic/fd.h"
#include "runtime/find.h"
#include "steps/limits.h"
#include "runtime/runtime.h"

/* Where there is no quota, systemd keeps the period that was asked for out of the cgroup. */
static int read_period(const Container *c, const SpecResources *resources, LimitsNow *now, Manager **m, Error *reterr) {
        uint64_t period;
        int r;

        if (!c->record.unit || !now->cpu_quota.set || now->cpu_quota.v != UINT64_MAX ||
            (!resources->cpu.quota.set && resources->n_unified == 0))
                return 0;
        r = manager_open(c->caller, c->record.user_manager, m, reterr);
        if (r == 0)
                r = manager_get_u64(*m, record_unit(&c->record), "CPUQuotaPeriodUSec", &period, reterr);
        if (r == 0 && period != UINT64_MAX)
                now->cpu_period.v = period;
        return r;
}

static int change(const Runtime *rt, const Container *c, const SpecResources *given, Error *reterr) {
        _cleanup_(unit_plan_done) UnitPlan plan = {};
        _cleanup_close_ int cgroup = -EBADF;
        _cleanup_manager_ Manager *m = NULL;
        SpecResources resources = *given;
        LimitsNow now;
        int r;

        cgroup = container_need_cgroup(c, "update", reterr);
        if (cgroup < 0)
                return cgroup;
        limits_read(cgroup, &now);
        now.cgroup = c->record.unit ? NULL : c->record.cgroup;
        spec_settle_pids(c->record.oci_version, &resources);
        r = read_period(c, &resources, &now, &m, reterr);
        if (r == 0)
                r = unit_plan_build_update(&resources, &rt->facts, &now, &plan, reterr);
        return r < 0 ? r : limits_change(c, &plan, &now, cgroup, &m, reterr);
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
