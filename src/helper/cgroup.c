/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "helper/mounts.h"
#include "helper/procfs.h"
#include "helper/steps.h"
#include "helper/targets.h"

#define CGROUP_FILE_MAX 65536

/* Our cgroup on the unified hierarchy, relative to its root: the "0::/…" line of /proc/self/cgroup. */
static int own_path(Helper *h, char **ret, Error *e) {
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *text = NULL;
        char *save = NULL;
        int r;

        r = procfs_need(h, e);
        if (r < 0)
                return r;
        fd = procfs_open_self(h, "cgroup", O_RDONLY);
        r = fd < 0 ? fd : read_file_fd(fd, CGROUP_FILE_MAX, &text, NULL);
        if (r < 0)
                return error_errnof(e, r, "read /proc/self/cgroup");
        for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                const char *path = startswith(line, "0::/");

                if (path && !startswith(path, "..")) {
                        *ret = xstrdup(path[0] ? path : ".");
                        return 0;
                }
        }
        return error_setf(e, ENOENT, "find the container's cgroup in /proc/self/cgroup");
}

/* A copy of the host's mount: of all of it, or of our own directory and nothing above or beside it. */
static int copy_of_host(Helper *h, const char *host, bool own_directory, Error *e) {
        _cleanup_close_ int top = open(host, O_PATH | O_DIRECTORY | O_CLOEXEC), dir = -EBADF; /* host */
        _cleanup_free_ char *path = NULL;
        struct statfs f;
        int r;

        if (top < 0)
                return error_errnof(e, errno, "open %s", host);
        if (fstatfs(top, &f) < 0 || f.f_type != CGROUP2_SUPER_MAGIC)
                return error_setf(e, EINVAL, "%s is not a cgroup2 file system", host);
        if (own_directory) {
                r = own_path(h, &path, e);
                if (r < 0)
                        return r;
        }
        dir = open_at(top, path ?: ".", O_PATH | O_DIRECTORY, 0,
                      RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
        r = dir < 0 ? dir : mount_clone(dir, false);
        return r < 0 ? error_errnof(e, r, "open cgroup %s in %s", path ?: "/", host) : r;
}

/*
 * In a cgroup namespace of its own a container gets a new mount, whose root is its cgroup. Without one it gets its own
 * directory of the host's tree, or all of that where it may write to it, as a copy of the host's mount: a new one in the
 * initial cgroup namespace would take its options (nsdelegate, memory_recursiveprot) from the host's.
 */
int step_cgroup(Helper *h, const InitCgroup *s, Error *e) {
        const char *target = s->target;
        const NewFs new = { .type = "cgroup2", .source = "cgroup", .attrs = s->attrs };
        _cleanup_close_ int mount_fd = -EBADF, place = -EBADF;
        int r;

        if (s->own_namespace)
                r = newfs_create(h, &new, &mount_fd, e);
        else {
                mount_fd = r = copy_of_host(h, s->host, s->own_directory, e);
                if (r >= 0) {
                        r = mount_attributes(mount_fd, s->attrs, 0, false);
                        if (r < 0)
                                error_errnof(e, r, "set attributes");
                }
        }
        if (r >= 0)
                r = target_open(h, target, TARGET_DIRECTORY, 0, &place, e);
        if (r >= 0)
                r = target_check(place, mount_fd, 0, target, e);
        if (r >= 0)
                r = target_attach(h, place, mount_fd, target, e);
        if (r >= 0) {
                r = mount_propagation(mount_fd, s->propagation);
                if (r < 0)
                        error_errnof(e, r, "set propagation");
        }
        if (r >= 0)
                r = target_keep(h, s->keep, mount_fd, e);
        return r < 0 ? error_prefixf(e, "mount cgroup to rootfs at %s", target) : 0;
}
