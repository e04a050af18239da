/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "basic/fd.h"
#include "host/observe.h"
#include "host/resctrl.h"
#include "runtime/find.h"
#include "runtime/runtime.h"

int runtime_update_rdt(const Runtime *rt, const char *id, const SpecIntelRdt *rdt, Error *reterr) {
        _cleanup_container_ Container c = { .dir = -EBADF };
        _cleanup_close_ int root = -EBADF;
        RdtPlan plan;
        int r;

        r = runtime_find(rt, id, LOCK_WAIT, &c, reterr);
        if (r < 0)
                return r;
        if (container_status(&c) == STATUS_STOPPED)
                return error_setf(reterr, EBUSY, "cannot update container %s: container not running", id);
        /* Its processes would have to be moved one thread at a time, while they make new ones. */
        if (!c.record.rdt_group)
                return error_setf(reterr, EOPNOTSUPP, "cannot update container %s: it was created without linux.intelRdt",
                                  id);
        root = resctrl_open(reterr);
        if (root < 0)
                return root;
        rdt_plan_build_update(rdt, c.record.rdt_group, &c.record.arena, &plan);
        return resctrl_write(root, &plan, reterr);
}
