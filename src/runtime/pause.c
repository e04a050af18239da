/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "host/cgroup.h"
#include "host/observe.h"
#include "host/unit-calls.h"
#include "runtime/find.h"
#include "runtime/runtime.h"

/* Through systemd, so that `systemctl status` says the same as we do; a cgroup of no unit's by ourselves. */
static int freeze_cgroup(const Container *c, int cgroup, bool freeze, Error *reterr) {
        int r = cgroup_freeze(cgroup, freeze, now_usec() + MANAGER_TIMEOUT_USEC);

        return r < 0 ? error_errnof(reterr, r, "cannot %s the cgroup of container %s", freeze ? "freeze" : "thaw", c->id)
                     : 0;
}

static int set_frozen(const Runtime *rt, const char *id, bool freeze, Error *reterr) {
        _cleanup_container_ Container c = { .dir = -EBADF };
        const char *what = freeze ? "pause" : "resume";
        _cleanup_manager_ Manager *m = NULL;
        _cleanup_close_ int cgroup = -EBADF;
        Status status;
        int r;

        r = runtime_find(rt, id, LOCK_WAIT, &c, reterr);
        if (r < 0)
                return r;
        status = container_status(&c);
        if (freeze ? status != STATUS_RUNNING && status != STATUS_CREATED : status != STATUS_PAUSED)
                return error_setf(reterr, EBUSY, "cannot %s container %s: %s%s", what, id,
                                  status == STATUS_STOPPED ? "" : "it is ",
                                  status == STATUS_STOPPED ? "container not running" : status_name(status));
        cgroup = container_need_cgroup(&c, what, reterr);
        if (cgroup < 0)
                return cgroup;
        if (!home_is_unit(c.record.home))
                return freeze_cgroup(&c, cgroup, freeze, reterr);
        r = manager_open(c.caller, c.record.user_manager, &m, reterr);
        if (r == 0)
                r = manager_freeze_unit(m, record_unit(&c.record), freeze, reterr);
        if (r == 0)
                log_info("scope %s: %s", c.record.unit, freeze ? "frozen" : "thawed");
        return container_blame_end(&c, what, r, reterr);
}

int runtime_pause(const Runtime *rt, const char *id, Error *reterr) {
        return set_frozen(rt, id, true, reterr);
}

int runtime_resume(const Runtime *rt, const char *id, Error *reterr) {
        return set_frozen(rt, id, false, reterr);
}
