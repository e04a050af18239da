/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A cgroup in the caller's own instead of a scope: for Podman's --cgroups=split, by which a service has its container
 * within its own unit. systemd leaves what is below a delegated unit to us, so that we write all limits ourselves.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "host/cgroup.h"
#include "runtime/creation.h"
#include "runtime/limits.h"

/* Marked as a unit's is, so that delete knows it from one of somebody else. */
static int make(const Creation *c, int *ret, Error *reterr) {
        const Record *record = &c->container.record;
        _cleanup_close_ int parent = -EBADF, cgroup = -EBADF;
        char path[64];
        const char *name;

        parent = cgroup_open_parent(c->unit.cgroup, &name);
        if (parent < 0)
                return error_errnof(reterr, parent, "linux.cgroupsPath: cannot open the cgroup above %s", c->unit.cgroup);
        (void) cgroup_hand_down(parent); /* a limit whose controller is not there is what fails */
        if (mkdirat(parent, name, 0755) < 0)
                return error_errnof(reterr, errno, "linux.cgroupsPath: cannot make cgroup %s", c->unit.cgroup);
        cgroup = cgroup_open(c->unit.cgroup);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", cgroup);
        if (cgroup < 0 || setxattr(path, record_cgroup_mark(record), record->invocation_id,
                                   strlen(record->invocation_id), 0) < 0) {
                int r = cgroup < 0 ? cgroup : -errno;

                (void) unlinkat(parent, name, AT_REMOVEDIR);
                return error_errnof(reterr, r, "linux.cgroupsPath: cannot mark cgroup %s as the container's", c->unit.cgroup);
        }
        *ret = TAKE_FD(cgroup);
        return 0;
}

int creation_make_cgroup(Creation *c, Error *reterr) {
        _cleanup_free_ char *pid = xasprintf("%d", c->launch.pid);
        _cleanup_close_ int cgroup = -EBADF;
        int r;

        r = make(c, &cgroup, reterr);
        if (r == 0)
                r = limits_complete(NULL, false, &c->unit, cgroup, c->unit.cgroup, reterr);
        if (r < 0)
                return r;
        r = write_kernel_file(cgroup, "cgroup.procs", pid);
        if (r < 0)
                return error_errnof(reterr, r, "cannot move the container's process to cgroup %s", c->unit.cgroup);
        return creation_enter(c, cgroup, reterr);
}
