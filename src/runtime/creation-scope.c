/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The scope: asked of systemd, verified, and completed by what no unit property says. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "basic/log.h"
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

/* Moves the process to a cgroup below this one, and hands it every controller that is here: they can be handed down once
 * no process is here any more. *ret: a descriptor of it. */
static int enter_below(const Creation *c, int cgroup, const char *name, int *ret, Error *reterr) {
        _cleanup_free_ char *pid = xasprintf("%d", c->launch.pid);
        _cleanup_close_ int below = -EBADF;
        int r;

        r = mkdirat(cgroup, name, 0755) < 0 && errno != EEXIST ? -errno : 0;
        if (r == 0)
                r = below = openat(cgroup, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (r >= 0)
                r = write_kernel_file(below, "cgroup.procs", pid);
        if (r < 0)
                return error_errnof(reterr, r, "cannot move the container's process to cgroup %s below its scope", name);
        r = cgroup_hand_down(cgroup);
        if (r < 0)
                return error_errnof(reterr, r, "cannot hand down the controllers to the container's cgroup");
        *ret = TAKE_FD(below);
        return 0;
}

/* An ordinary user can give what is his to others only from within a user namespace that has both. */
static int give_away(const Creation *c, int cgroup, Error *reterr) {
        int r = c->unit.owner.set ? cgroup_delegate(cgroup, c->unit.owner.v) : 0;

        if (r == -EPERM && c->rt->facts.rootless) {
                log_message(LOG_WARNING, "the container's cgroup stays ours: it cannot be given to uid %u", c->unit.owner.v);
                return 0;
        }
        return r < 0 ? error_errnof(reterr, r, "cannot give the container's cgroup to uid %u", c->unit.owner.v) : 0;
}

int creation_delegate(Creation *c, Error *reterr) {
        _cleanup_close_ int cgroup = -EBADF, below = -EBADF;
        _cleanup_free_ char *path = NULL;
        int r;

        if (!c->unit.delegate)
                return 0;
        r = cgroup_of_pid(c->launch.pid, &path);
        if (r >= 0)
                r = cgroup = cgroup_open(path);
        if (r < 0)
                return error_errnof(reterr, r, "cannot open the container's cgroup");
        r = enter_below(c, cgroup, c->unit.delegate, &below, reterr);
        return r < 0 ? r : give_away(c, below, reterr);
}

int creation_enter(Creation *c, int cgroup, Error *reterr) {
        _cleanup_close_ int below = -EBADF;
        int r;

        r = c->unit.subgroup ? enter_below(c, cgroup, c->unit.subgroup, &below, reterr) : 0;
        if (r == 0 && !c->unit.delegate)
                r = give_away(c, below >= 0 ? below : cgroup, reterr);
        return r < 0 ? r : launch_send(&c->launch, INIT_MSG_CGROUP, reterr);
}

/* The rest of the limits, and who owns the scope: its invocation id, which systemd keeps on the cgroup. */
int creation_settle(Creation *c, Error *reterr) {
        _cleanup_close_ int cgroup = -EBADF;
        _cleanup_free_ char *path = NULL;
        Record *record = &c->container.record;
        char invocation[64];
        char fd_path[64];
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
        snprintf(fd_path, sizeof(fd_path), "/proc/self/fd/%d", cgroup);
        n = getxattr(fd_path, record_cgroup_mark(record), invocation, sizeof(invocation) - 1);
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
