/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "basic/fd.h"
#include "runtime/limits.h"
#include "runtime/runtime.h"

static int change(const Runtime *rt, const Container *c, const SpecResources *given, Error *reterr) {
        _cleanup_(unit_plan_done) UnitPlan plan = {};
        _cleanup_close_ int cgroup = -EBADF;
        SpecResources resources = *given;
        LimitsNow now;
        int r;

        cgroup = container_need_cgroup(c, "update", reterr);
        if (cgroup < 0)
                return cgroup;
        limits_read(cgroup, &now);
        now.cgroup = c->record.unit ? NULL : c->record.cgroup;
        spec_settle_pids(c->record.oci_version, &resources);
        r = unit_plan_build_update(&resources, &rt->facts, &now, &plan, reterr);
        return r < 0 ? r : limits_change(&c->record, &plan, &now, cgroup, reterr);
}

int runtime_update(const Runtime *rt, const char *id, const SpecResources *resources, Error *reterr) {
        _cleanup_store_ Store store = { .fd = -EBADF };
        _cleanup_container_ Container c = { .dir = -EBADF };
        int r;

        r = store_open(rt->root, false, &store, reterr);
        if (r == 0)
                r = container_open(&store, id, LOCK_WAIT, &c, reterr);
        if (r < 0)
                return r;
        if (container_status(&c) == STATUS_STOPPED)
                return error_setf(reterr, EBUSY, "cannot update container %s: container not running", id);
        return change(rt, &c, resources, reterr);
}
