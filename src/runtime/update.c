/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "basic/fd.h"
#include "host/cgroup.h"
#include "runtime/limits.h"
#include "runtime/runtime.h"

static int change(const Runtime *rt, const Container *c, const SpecResources *resources, Error *reterr) {
        _cleanup_(unit_plan_done) UnitPlan plan = {};
        _cleanup_close_ int cgroup = -EBADF;
        LimitsNow now;
        int r;

        cgroup = cgroup_open(c->record.cgroup);
        if (cgroup < 0)
                return error_errnof(reterr, cgroup, "cannot open the cgroup of container %s", c->id);
        limits_read(cgroup, &now);
        now.cgroup = c->record.unit ? NULL : c->record.cgroup;
        r = unit_plan_build_update(resources, &rt->facts, &now, &plan, reterr);
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
        if (!c.record.cgroup)
                return error_setf(reterr, EOPNOTSUPP, "cannot update container %s: it has no cgroup of its own", id);
        return change(rt, &c, resources, reterr);
}
