/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The scope: asked of systemd, verified, and completed by what no unit property says. */
#include <errno.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "host/cgroup.h"
#include "runtime/creation.h"
#include "steps/limits.h"

int creation_request_scope(Creation *c, Error *reterr) {
        int r;

        if (c->scope_requested)
                return 0;
        if (c->manager) { /* removal_run() waits for its end, lest systemd gets to the request when all is removed */
                r = creation_note_process(c, false, reterr);
                if (r < 0)
                        return r;
        }
        c->scope_requested = true;
        if (!c->manager) {
                r = c->unit.cgroup ? creation_make_cgroup(c, reterr) : 0;
                return r < 0 ? r : 1;
        }
        c->scope_asked = now_usec();
        log_info("scope %s: asked of systemd, in %s, for process %d", c->unit.name, c->unit.slice, c->launch.pid);
        return manager_start_scope(c->manager, &c->unit, c->launch.pid, c->launch.pidfd, reterr);
}

/* From here on both are known for ours, by their numbers. What could not be removed of an earlier unit had the cgroup's. */
static int claim(Container *c, int cgroup, Error *reterr) {
        Record *record = &c->record;
        _cleanup_free_ char *invocation = container_unit_invocation(c);
        int r = cgroup < 0 ? cgroup : cgroup_id(cgroup, &record->cgroup_id);

        record->invocation_id = invocation ? arena_strdup(&record->arena, invocation) : NULL;
        if (r < 0)
                return error_errnof(reterr, r, "cannot open the container's cgroup %s", record->cgroup);
        if (cgroup_has_children(cgroup))
                return error_setf(reterr, EEXIST, "cgroup %s has others in it, of an earlier unit of that name",
                                  record->cgroup);
        return 0;
}

/* Which cgroup it is, and the rest of the limits. */
int creation_settle(Creation *c, Error *reterr) {
        _cleanup_close_ int cgroup = -EBADF;
        _cleanup_free_ char *path = NULL;
        Record *record = &c->container.record;
        int r;

        r = cgroup_of_pid(c->launch.pid, &path);
        if (r < 0 || !cgroup_belongs_to_unit(path, c->unit.slice, c->unit.name, false))
                return error_setf(reterr, EREMOTEIO, "systemd was asked for scope %s in %s, but the container's process "
                                  "is in cgroup %s", c->unit.name, c->unit.slice, r < 0 ? "(none)" : path);
        record->cgroup = arena_strdup(&record->arena, path);
        cgroup = cgroup_open(path);
        r = claim(&c->container, cgroup, reterr);
        /* Before anything but the helper runs in there: hooks of the container. */
        if (r == 0)
                r = container_save(&c->container, reterr);
        if (r == 0)
                r = limits_complete(c->manager, record->user_manager, &c->unit, cgroup, path, reterr);
        if (r < 0)
                return r;
        log_debug("scope %s: the process is in cgroup %s, and all limits are in force", c->unit.name, path);
        return creation_enter(c, cgroup, reterr);
}
