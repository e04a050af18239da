/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "host/cgroup.h"
#include "host/observe.h"
#include "host/unit-calls.h"
#include "runtime/find.h"
#include "runtime/runtime.h"

/* As long as a systemd that says nothing is waited for. */
#define FREEZING_USEC UINT64_C(5000000)

/* Through systemd, so that `systemctl status` says the same as we do; a cgroup of no unit's (m NULL) by ourselves. */
static int set_cgroup(const Container *c, Manager *m, int cgroup, bool freeze, Error *reterr) {
        int r;

        if (m)
                return manager_freeze_unit(m, record_unit(&c->record), freeze, reterr);
        r = cgroup_freeze(cgroup, freeze, now_usec() + FREEZING_USEC);
        return r < 0 ? error_errnof(reterr, r, "cannot %s the cgroup of container %s", freeze ? "freeze" : "thaw", c->id)
                     : 0;
}

static bool is_to_be_frozen(const Container *c) {
        _cleanup_close_ int cgroup = container_open_frozen(c);

        return cgroup >= 0 && cgroup_is_to_be_frozen(cgroup);
}

/* Who waits in the kernel for something is frozen when that comes; until then all others would stand still. */
static int take_back(const Container *c, Manager *m, int cgroup, int r, Error *reterr) {
        bool begun = is_to_be_frozen(c);

        (void) set_cgroup(c, m, cgroup, false, NULL);
        if (!begun)
                return r;
        error_done(reterr);
        return error_setf(reterr, ETIMEDOUT, "cannot pause container %s: a process of it cannot be frozen", c->id);
}

static bool can_be_set(const Container *c, bool freeze, Status status) {
        if (freeze)
                return status == STATUS_RUNNING || status == STATUS_CREATED;
        return status == STATUS_PAUSED || is_to_be_frozen(c);
}

/* Who makes the process of a service is in there himself, for a moment after systemd has heard of it. Frozen in that moment he
 * keeps the lock, and it is he who is to be thawed. */
static int find(const Runtime *rt, const char *id, bool freeze, Container *ret, Error *reterr) {
        int r = freeze ? 0 : runtime_find(rt, id, LOCK_NONE, ret, reterr);

        if (r < 0 || (!freeze && home_is_supervised(ret->record.home)))
                return r;
        container_done(ret);
        *ret = (Container){ .dir = -EBADF };
        return runtime_find(rt, id, LOCK_WAIT, ret, reterr);
}

static int set_frozen(const Runtime *rt, const char *id, bool freeze, Error *reterr) {
        _cleanup_container_ Container c = { .dir = -EBADF };
        const char *what = freeze ? "pause" : "resume";
        _cleanup_manager_ Manager *m = NULL;
        _cleanup_close_ int cgroup = -EBADF;
        Status status;
        int r;

        r = find(rt, id, freeze, &c, reterr);
        if (r < 0)
                return r;
        status = container_status(&c);
        if (!can_be_set(&c, freeze, status))
                return error_setf(reterr, EBUSY, "cannot %s container %s: %s%s", what, id,
                                  status == STATUS_STOPPED ? "" : "it is ",
                                  status == STATUS_STOPPED ? "container not running" : status_name(status));
        cgroup = container_need_cgroup(&c, what, reterr);
        if (cgroup < 0)
                return cgroup;
        r = home_has_unit(c.record.home) ? manager_open(c.caller, c.record.user_manager, &m, reterr) : 0;
        if (r == 0)
                r = set_cgroup(&c, m, cgroup, freeze, reterr);
        if (r == -ETIMEDOUT && freeze)
                r = take_back(&c, m, cgroup, r, reterr);
        if (r == 0)
                log_info("container %s: %s", id, freeze ? "frozen" : "thawed");
        return container_blame_end(&c, what, r, reterr);
}

int runtime_pause(const Runtime *rt, const char *id, Error *reterr) {
        return set_frozen(rt, id, true, reterr);
}

int runtime_resume(const Runtime *rt, const char *id, Error *reterr) {
        return set_frozen(rt, id, false, reterr);
}
