/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The scope: asked of systemd, verified, and completed by what no unit property says. */
#include <errno.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "basic/fd.h"
#include "host/cgroup.h"
#include "runtime/creation.h"
#include "runtime/limits.h"

int creation_request_scope(Creation *c, Error *reterr) {
        if (c->scope_requested)
                return 0;
        c->scope_requested = true;
        if (!c->manager) {
                int r = c->unit.cgroup ? creation_make_cgroup(c, reterr) : 0;

                return r < 0 ? r : 1;
        }
        return manager_start_scope(c->manager, &c->unit, c->launch.pid, c->launch.pidfd, reterr);
}

/* The rest of the limits, and who owns the scope: its invocation id, which systemd keeps on the cgroup. */
int creation_settle(Creation *c, Error *reterr) {
        _cleanup_close_ int cgroup = -EBADF;
        _cleanup_free_ char *path = NULL;
        Record *record = &c->container.record;
        char invocation[64];
        ssize_t n;
        int r;

        r = cgroup_of_pid(c->launch.pid, &path);
        if (r < 0 || !cgroup_belongs_to_unit(path, c->unit.slice, c->unit.name, false))
                return error_setf(reterr, EREMOTEIO, "systemd says that scope %s runs, but the container's process is in "
                                  "cgroup %s", c->unit.name, r < 0 ? "(none)" : path);
        record->cgroup = arena_strdup(&record->arena, path);
        cgroup = cgroup_open(path);
        if (cgroup < 0)
                return error_errnof(reterr, cgroup, "cannot open the container's cgroup %s", path);
        n = fgetxattr(cgroup, record_cgroup_mark(record), invocation, sizeof(invocation) - 1);
        if (n > 0) {
                invocation[n] = '\0';
                record->invocation_id = arena_strdup(&record->arena, invocation);
        }
        /* Before anything but the helper runs in there: hooks of the container. */
        r = container_save(&c->container, reterr);
        if (r == 0)
                r = limits_complete(c->manager, record->user_manager, &c->unit, cgroup, path, reterr);
        return r < 0 ? r : creation_enter(c, cgroup, reterr);
}
