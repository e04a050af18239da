/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "helper/mounts.h"
#include "helper/procfs.h"
#include "helper/steps.h"
#include "helper/targets.h"

static mode_t type_bits(uint64_t type) {
        return type == 'c' ? S_IFCHR : type == 'b' ? S_IFBLK : S_IFIFO;
}

static bool is_device(const struct stat *st, mode_t type, dev_t device) {
        return (st->st_mode & S_IFMT) == type && (type == S_IFIFO || st->st_rdev == device);
}

/* Mode and owner: of a node that was there, those that were asked for. The mode of a new one is right already. */
static int adjust(Helper *h, int fd, const struct stat *st, bool made, const InitStep *s, Error *e) {
        uint64_t set = made ? INIT_SET_OWNER : s->num[6];
        uid_t uid = (uid_t) s->num[4];
        gid_t gid = (gid_t) s->num[5];
        int r = 0;

        if ((set & INIT_SET_OWNER) && (st->st_uid != uid || st->st_gid != gid) &&
            fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0)
                return error_errnof(e, errno, "change owner of device %s", s->str[0]);
        if (!(set & INIT_SET_MODE) || (st->st_mode & 07777) == s->num[3])
                return 0;
        r = procfs_need(h, e);
        if (r < 0)
                return r;
        r = procfs_chmod(h, fd, (mode_t) s->num[3]);
        return r < 0 ? error_errnof(e, r, "change mode of device %s", s->str[0]) : 0;
}

static int keep_node(Helper *h, uint64_t slot, int node, const char *path, Error *e) {
        _cleanup_close_ int fd = mount_clone(node, false);
        int r;

        if (fd < 0)
                return error_errnof(e, fd, "bind device %s", path);
        r = helper_set_slot(h, slot, fd, e);
        if (r >= 0)
                (void) TAKE_FD(fd);
        return r;
}

/* The node is looked at whether we made it or found it: a file system that the container's owner writes to
 * may have anything at that name, and the kernel tells who made what only by the node itself. */
int step_device(Helper *h, const InitStep *s, Error *e) {
        const char *path = s->str[0], *name;
        mode_t type = type_bits(s->num[0]);
        dev_t device = makedev((unsigned) s->num[1], (unsigned) s->num[2]);
        _cleanup_close_ int dir = -EBADF, fd = -EBADF;
        bool made;
        struct stat st;
        int r;

        r = target_open_parent(h, path, &dir, &name, e);
        if (r < 0)
                return r;
        made = mknodat(dir, name, type | (mode_t) s->num[3], type == S_IFIFO ? 0 : device) == 0;
        if (!made && errno != EEXIST)
                return error_errnof(e, errno, "create device %s", path);
        fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return error_errnof(e, errno, "open device %s", path);
        if (!is_device(&st, type, device))
                return error_setf(e, EEXIST, "create device %s: something else is there already", path);
        r = adjust(h, fd, &st, made, s, e);
        return r < 0 || s->num[7] == INIT_NO_SLOT ? r : keep_node(h, s->num[7], fd, path, e);
}

static int need_nodes(Helper *h, const InitStep *s, Error *e) {
        const InitStep fs = { .op = INIT_MOUNT, .str = { "tmpfs", "tmpfs" }, .list = { s->list[0] } };

        return h->nodes >= 0 ? 0 : newfs_create(h, &fs, 0, &h->nodes, e);
}

/* Nobody makes devices in a user namespace, but in a file system that was made outside of it they are what they are. */
int step_open_node(Helper *h, const InitStep *s, Error *e) {
        _cleanup_close_ int fd = -EBADF;
        char name[24];
        int r;

        r = need_nodes(h, s, e);
        if (r < 0)
                return error_prefixf(e, "make a file system for devices");
        (void) snprintf(name, sizeof(name), "%llu", (unsigned long long) s->num[0]);
        if (mknodat(h->nodes, name, type_bits(s->num[1]) | (mode_t) s->num[4],
                    makedev((unsigned) s->num[2], (unsigned) s->num[3])) < 0 ||
            fchownat(h->nodes, name, (uid_t) s->num[5], (gid_t) s->num[6], AT_SYMLINK_NOFOLLOW) < 0)
                return error_errnof(e, errno, "create device");
        fd = openat(h->nodes, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        r = fd < 0 ? error_errnof(e, errno, "open device") : helper_set_slot(h, s->num[0], fd, e);
        if (r >= 0)
                (void) TAKE_FD(fd);
        return r;
}

static int clone_nodes(Helper *h, const InitStep *s, Error *e) {
        for (uint64_t slot = s->num[0]; slot < s->num[0] + s->num[1]; slot++) {
                int node = helper_slot(h, slot, e), fd;

                if (node < 0)
                        return node;
                fd = mount_clone(node, false);
                if (fd < 0)
                        return error_errnof(e, fd, "bind device");
                (void) close(node);
                h->slots[slot] = fd;
        }
        return 0;
}

/* What is mounted nowhere cannot be cloned by kernels before 6.15. So for that moment it is on the root of the container,
 * where no path of ours leads to it, as these all begin below. */
int step_clone_nodes(Helper *h, const InitStep *s, Error *e) {
        int r;

        if (move_mount(h->nodes, "", h->root, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
                return error_errnof(e, errno, "attach the file system of devices");
        r = clone_nodes(h, s, e);
        if (fchdir(h->nodes) < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
                return error_errnof(e, errno, "detach the file system of devices");
        h->nodes = close_fd(h->nodes);
        return r;
}

/* The host's, which is looked at: what is at that path may be another. */
static int clone_host_node(const char *path, mode_t type, dev_t device, Error *e) {
        _cleanup_close_ int host = open(path, O_PATH | O_CLOEXEC); /* host */
        struct stat st;
        int fd;

        if (host < 0 || fstat(host, &st) < 0)
                return error_errnof(e, errno, "open device %s of the host", path);
        if (!is_device(&st, type, device))
                return error_setf(e, ENODEV, "bind device %s: the host's is another one", path);
        fd = mount_clone(host, false);
        return fd < 0 ? error_errnof(e, fd, "bind device %s", path) : fd;
}

int step_host_null(Helper *h, const InitStep *s, Error *e) {
        _cleanup_close_ int fd = clone_host_node("/dev/null", S_IFCHR, makedev(1, 3), e);
        int r = fd < 0 ? fd : helper_set_slot(h, s->num[0], fd, e);

        if (r >= 0)
                (void) TAKE_FD(fd);
        return r;
}

int step_device_bind(Helper *h, const InitStep *s, Error *e) {
        const char *path = s->str[0], *name;
        _cleanup_close_ int mount_fd = -EBADF, dir = -EBADF, place = -EBADF;
        int r;

        if (s->num[0] == INIT_NO_SLOT)
                r = clone_host_node(path, type_bits(s->num[1]), makedev((unsigned) s->num[2], (unsigned) s->num[3]), e);
        else
                r = helper_take_slot(h, s->num[0], e);
        mount_fd = r;
        if (r >= 0)
                r = target_open_parent(h, path, &dir, &name, e);
        if (r >= 0)
                r = target_open_node(dir, name, path, &place, e);
        return r < 0 ? r : target_attach(h, place, mount_fd, path, e);
}

int step_symlink(Helper *h, const InitStep *s, Error *e) {
        const char *target = s->str[0], *path = s->str[1], *name;
        _cleanup_close_ int dir = -EBADF;
        int r;

        r = target_open_parent(h, path, &dir, &name, e);
        if (r < 0)
                return r;
        if (symlinkat(target, dir, name) < 0 && errno != EEXIST)
                return error_errnof(e, errno, "create symlink %s", path);
        return 0;
}

int step_mkdir(Helper *h, const InitStep *s, Error *e) {
        _cleanup_close_ int fd = -EBADF;

        (void) target_open(h, s->str[0], TARGET_DIRECTORY, 0, &fd, NULL);
        return 0;
}
