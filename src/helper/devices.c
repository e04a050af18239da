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

static mode_t type_bits(char type) {
        return type == 'c' ? S_IFCHR : type == 'b' ? S_IFBLK : S_IFIFO;
}

static bool is_device(const struct stat *st, mode_t type, dev_t device) {
        return (st->st_mode & S_IFMT) == type && (type == S_IFIFO || st->st_rdev == device);
}

/* Mode and owner: of a node that was there, those that were asked for. The mode of a new one is right already. */
static int adjust(Helper *h, int fd, const struct stat *st, bool made, const InitDevice *s, Error *e) {
        uint32_t set = made ? INIT_SET_OWNER : s->set;
        int r = 0;

        if ((set & INIT_SET_OWNER) && (st->st_uid != s->uid || st->st_gid != s->gid) &&
            fchownat(fd, "", s->uid, s->gid, AT_EMPTY_PATH) < 0)
                return error_errnof(e, errno, "change owner of device %s", s->path);
        if (!(set & INIT_SET_MODE) || (st->st_mode & 07777) == s->mode)
                return 0;
        r = procfs_need(h, e);
        if (r < 0)
                return r;
        r = procfs_chmod(h, fd, s->mode);
        return r < 0 ? error_errnof(e, r, "change mode of device %s", s->path) : 0;
}

static int keep_node(Helper *h, InitSlot slot, int node, const char *path, Error *e) {
        _cleanup_close_ int fd = mount_clone(node, false);

        if (fd < 0)
                return error_errnof(e, fd, "bind device %s", path);
        return helper_fill_slot(h, slot, &fd, e);
}

/* The node is looked at whether we made it or found it: a file system that the container's owner writes to
 * may have anything at that name, and the kernel tells who made what only by the node itself. */
int step_device(Helper *h, const InitDevice *s, Error *e) {
        const char *path = s->path, *name;
        mode_t type = type_bits(s->type);
        dev_t device = makedev(s->major, s->minor);
        _cleanup_close_ int dir = -EBADF, fd = -EBADF;
        bool made;
        struct stat st;
        int r;

        r = target_open_parent(h, path, &dir, &name, e);
        if (r < 0)
                return r;
        made = mknodat(dir, name, type | s->mode, type == S_IFIFO ? 0 : device) == 0;
        if (!made && errno != EEXIST)
                return error_errnof(e, errno, "create device %s", path);
        fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return error_errnof(e, errno, "open device %s", path);
        if (!is_device(&st, type, device))
                return error_setf(e, EEXIST, "create device %s: something else is there already", path);
        r = adjust(h, fd, &st, made, s, e);
        return r < 0 || !s->keep ? r : keep_node(h, s->keep, fd, path, e);
}

static int need_nodes(Helper *h, const char **options, Error *e) {
        const NewFs new = { .type = "tmpfs", .source = "tmpfs", .options = options };

        return h->nodes >= 0 ? 0 : newfs_create(h, &new, &h->nodes, e);
}

/* Nobody makes devices in a user namespace, but in a file system that was made outside of it they are what they are. */
int step_open_node(Helper *h, const InitOpenNode *s, Error *e) {
        _cleanup_close_ int fd = -EBADF;
        char name[24];
        int r;

        r = need_nodes(h, s->options, e);
        if (r < 0)
                return error_prefixf(e, "make a file system for devices");
        (void) snprintf(name, sizeof(name), "%u", s->slot);
        if (mknodat(h->nodes, name, type_bits(s->type) | s->mode, makedev(s->major, s->minor)) < 0 ||
            fchownat(h->nodes, name, s->uid, s->gid, AT_SYMLINK_NOFOLLOW) < 0)
                return error_errnof(e, errno, "create device");
        fd = openat(h->nodes, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? error_errnof(e, errno, "open device") : helper_fill_slot(h, s->slot, &fd, e);
}

static int clone_nodes(Helper *h, const InitCloneNodes *s, Error *e) {
        for (uint32_t i = 0; i < s->number; i++) {
                InitSlot slot = s->first + i;
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
int step_clone_nodes(Helper *h, const InitCloneNodes *s, Error *e) {
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

int step_host_null(Helper *h, const InitHostNull *s, Error *e) {
        _cleanup_close_ int fd = clone_host_node("/dev/null", S_IFCHR, makedev(1, 3), e);

        return fd < 0 ? fd : helper_fill_slot(h, s->slot, &fd, e);
}

int step_device_bind(Helper *h, const InitDeviceBind *s, Error *e) {
        const char *path = s->path, *name;
        _cleanup_close_ int mount_fd = -EBADF, dir = -EBADF, place = -EBADF;
        int r;

        if (!s->slot)
                r = clone_host_node(path, type_bits(s->type), makedev(s->major, s->minor), e);
        else
                r = helper_take_slot(h, s->slot, e);
        mount_fd = r;
        if (r >= 0)
                r = target_open_parent(h, path, &dir, &name, e);
        if (r >= 0)
                r = target_open_node(dir, name, path, &place, e);
        return r < 0 ? r : target_attach(h, place, mount_fd, path, e);
}

int step_symlink(Helper *h, const InitSymlink *s, Error *e) {
        const char *target = s->target, *path = s->path, *name;
        _cleanup_close_ int dir = -EBADF;
        int r;

        r = target_open_parent(h, path, &dir, &name, e);
        if (r < 0)
                return r;
        if (symlinkat(target, dir, name) < 0 && errno != EEXIST)
                return error_errnof(e, errno, "create symlink %s", path);
        return 0;
}

int step_mkdir(Helper *h, const InitMkdir *s, Error *e) {
        _cleanup_close_ int fd = -EBADF;

        (void) target_open(h, s->path, TARGET_DIRECTORY, 0, &fd, NULL);
        return 0;
}
