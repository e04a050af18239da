/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <limits.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "helper/mounts.h"
#include "helper/procfs.h"
#include "helper/steps.h"
#include "helper/talk.h"

int step_root_propagation(Helper *h, const InitRootPropagation *s, Error *e) {
        _cleanup_close_ int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC); /* host */
        int r = fd < 0 ? -errno : mount_propagation(fd, s->flags);

        if (r < 0)
                return error_errnof(e, r, "set propagation of the root mount");
        h->root_propagation = s->flags;
        h->opened_propagation = s->opened ?: s->flags;
        return 0;
}

/* The root of the mount that dir lies on: up until it is reached. */
static int mount_root(int dir) {
        _cleanup_close_ int fd = fcntl(dir, F_DUPFD_CLOEXEC, 3);
        uint64_t below = UINT64_MAX;
        struct statx st;

        for (;;) {
                int up;

                if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, STATX_INO, &st) < 0)
                        return -errno;
                if (st.stx_attributes & STATX_ATTR_MOUNT_ROOT)
                        return TAKE_FD(fd);
                if (st.stx_ino == below) /* we are in a chroot, whose root is no mount */
                        return -EINVAL;
                below = st.stx_ino;
                up = open_at(fd, "..", O_PATH | O_DIRECTORY, 0, RESOLVE_NO_XDEV);
                if (up < 0)
                        return up;
                (void) close(fd);
                fd = up;
        }
}

/* Were it shared, what we attach to it would show on the host, and pivot_root() would refuse. */
static int make_parent_private(const Helper *h, int dir) {
        _cleanup_close_ int top = -EBADF;

        if ((h->root_propagation & MS_REC) &&
            (h->root_propagation & (MS_SLAVE | MS_PRIVATE | MS_UNBINDABLE)))
                return 0;
        top = mount_root(dir);
        return top < 0 ? top : mount_propagation(top, MS_PRIVATE);
}

/* Mounts of others stay as they are. Attached where they share, ours would show wherever they share it with. */
static int refuse_shared(const Helper *h, int dir, Error *e) {
        _cleanup_close_ int fd = procfs_open_self(h, "mountinfo", O_RDONLY);
        _cleanup_free_ char *text = NULL, *id = NULL;
        char *save = NULL;
        struct statx st;
        int r = fd;

        if (r >= 0 && statx(dir, "", AT_EMPTY_PATH, STATX_MNT_ID, &st) < 0)
                r = -errno;
        if (r >= 0)
                r = read_file_fd(fd, 16U << 20, &text, NULL);
        if (r < 0)
                return error_errnof(e, r, "read /proc/self/mountinfo");
        id = xasprintf("%llu ", (unsigned long long) st.stx_mnt_id);
        for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                char *end = strstr(line, " - "); /* blanks in paths are octal there */

                if (!end || !startswith(line, id))
                        continue;
                *end = '\0';
                if (!strstr(line, " shared:"))
                        return 0;
                return error_setf(e, EOPNOTSUPP, "in the mount namespace that is joined it is on a shared mount: the "
                                  "container's mounts would show in others too");
        }
        return error_setf(e, EOPNOTSUPP, "find its mount in the mount namespace that is joined");
}

/* Who can write above the rootfs may have put a symlink in its place, to the host's root for one. In a mount namespace of
 * others all that is there is theirs. */
static int open_rootfs(const Helper *h, const char *path, Error *e) {
        int fd = h->joined_mounts ? helper_open_host(h, path, O_DIRECTORY) : open_no_symlinks(path, O_PATH | O_DIRECTORY, e);

        if (fd < 0 && h->joined_mounts)
                return error_errnof(e, fd, "open rootfs %s", path);
        return fd < 0 ? error_prefixf(e, "open rootfs %s", path) : fd;
}

/* A file system may let root of a user namespace in, but not us: a user's, over the network or by FUSE. */
int step_enter_rootfs(Helper *h, const InitEnterRootfs *s, Error *e) {
        _cleanup_close_ int dir = open_rootfs(h, s->path, e);
        int r = dir;

        if (r >= 0 && fchdir(dir) < 0)
                r = error_errnof(e, errno, "enter rootfs %s", s->path);
        h->in_rootfs = r >= 0;
        if (r != -EACCES)
                return MIN(r, 0);
        error_done(e);
        return 0;
}

static int find_rootfs(const Helper *h, const char *path, Error *e) {
        int fd = h->in_rootfs ? open(".", O_PATH | O_DIRECTORY | O_CLOEXEC) : open_rootfs(h, path, e); /* host */

        return fd < 0 && h->in_rootfs ? error_errnof(e, errno, "open rootfs %s", path) : fd;
}

/* The path is used once, here or before, while it is still the host's; INIT_ATTACH has another helper. */
int step_rootfs(Helper *h, const InitRootfs *s, Error *e) {
        const char *path = s->path;
        _cleanup_close_ int dir = find_rootfs(h, path, e), tree = -EBADF;
        int r;

        if (dir < 0)
                return dir;
        if (s->in_place) {
                h->root = TAKE_FD(dir);
                return 0;
        }
        r = s->lasting ? 0 : make_parent_private(h, dir);
        if (r >= 0)
                tree = r = mount_clone(dir, true);
        if (r >= 0)
                r = mount_propagation(tree, s->propagation);
        if (r >= 0 && s->lasting) { /* what has to be taken away one day is written down before it is there */
                r = talk_send(h, INIT_MSG_MOUNT, 0, tree, e);
                if (r >= 0)
                        r = talk_wait(h, INIT_MSG_NOTED, e);
        }
        if (r >= 0 && move_mount(tree, "", dir, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
                r = -errno;
        if (r >= 0 && s->lasting) /* a shared parent has made it shared: others have a copy, of what is there so far */
                r = mount_propagation(tree, s->propagation);
        if (r < 0)
                return error_errnof(e, r, "mount rootfs %s", path);
        h->root = TAKE_FD(tree);
        /* The kernel follows every link, should the layers of an overlay lead to one: not to our procfs. */
        if (h->joined_mounts)
                h->proc = close_fd(h->proc);
        return 0;
}

/* The old root ends up on top of the new one at the same place; it is taken away from there. */
int step_pivot(Helper *h, const InitPivot *s, Error *e) {
        _cleanup_close_ int old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC); /* host */
        int r;

        if (old < 0 || fchdir(h->root) < 0)
                return error_errnof(e, errno, "enter rootfs");
        if (syscall(SYS_pivot_root, ".", ".") < 0)
                return error_errnof(e, errno, "pivot_root");
        if (fchdir(old) < 0)
                return error_errnof(e, errno, "enter old root");
        /* What is unmounted here must stay mounted on the host. */
        if (!(h->root_propagation & MS_REC) || (h->root_propagation & MS_SHARED)) {
                r = mount_propagation(old, MS_SLAVE | MS_REC);
                if (r < 0)
                        return error_errnof(e, r, "set propagation of old root");
        }
        if (umount2(".", MNT_DETACH) < 0)
                return error_errnof(e, errno, "unmount old root");
        if (chdir("/") < 0)
                return error_errnof(e, errno, "enter new root");
        return 0;
}

/* Without pivot_root() the old root stays below the new one. In a user namespace its procfs and sysfs would
 * let the container mount new ones, without what it has masked: those go first, or are covered. */
static int hide_mount(const char *path, Error *e) {
        if (umount2(path, MNT_DETACH) == 0 || /* host */
            errno == ENOENT) /* it went with the one above it */
                return 0;
        if (errno != EINVAL && errno != EPERM)
                return error_errnof(e, errno, "unmount %s", path);
        if (mount("tmpfs", path, "tmpfs", 0, NULL) < 0) /* host */
                return error_errnof(e, errno, "cover %s", path);
        return 0;
}

static int hide_host(Helper *h, Error *e) {
        _cleanup_free_ char *text = NULL;
        _cleanup_close_ int fd = -EBADF;
        char *save = NULL, root[PATH_MAX];
        int r;

        r = procfs_need(h, e);
        if (r < 0)
                return r;
        r = procfs_describe_fd(h, h->root, root, sizeof(root));
        if (r >= 0)
                r = fd = procfs_open_self(h, "mounts", O_RDONLY);
        if (r >= 0)
                r = read_file_fd(fd, 16U << 20, &text, NULL);
        if (r < 0)
                return error_errnof(e, r, "read /proc/self/mounts");
        for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                const char *path, *type;

                /* Blanks in paths are octal there; no procfs has such a place. */
                (void) strsep(&line, " "); /* the source */
                path = strsep(&line, " ");
                type = strsep(&line, " ");
                if (!type || !(streq(type, "proc") || streq(type, "sysfs")) || path_is_below(path, root))
                        continue;
                r = hide_mount(path, e);
                if (r < 0)
                        return r;
        }
        return 0;
}

int step_move_root(Helper *h, const InitMoveRoot *s, Error *e) {
        int r = hide_host(h, e);

        if (r < 0)
                return r;
        if (fchdir(h->root) < 0)
                return error_errnof(e, errno, "enter rootfs");
        if (move_mount(h->root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0) /* host */
                return error_errnof(e, errno, "move rootfs to /");
        if (chroot(".") < 0 || chdir("/") < 0)
                return error_errnof(e, errno, "chroot to rootfs");
        return 0;
}

/* Nobody else's root changes, as it would with pivot_root(). */
int step_chroot(Helper *h, const InitChroot *s, Error *e) {
        if (fchdir(s->handed_over ? h->given_root : h->root) < 0 || chroot(".") < 0 || chdir("/") < 0)
                return error_errnof(e, errno, "change root to the rootfs");
        return h->joined_mounts ? procfs_renew(h, e) : 0;
}

int step_detach(Helper *h, const InitDetach *s, Error *e) {
        _cleanup_close_ int tree = mount_clone(h->root, true);
        int r = tree;

        if (r >= 0 && s->locked)
                r = mount_lock(h, &tree, 1, e);
        if (r >= 0)
                r = talk_send(h, INIT_MSG_DETACHED, 0, tree, e);
        if (r >= 0)
                r = talk_wait(h, INIT_MSG_NOTED, e);
        if (r < 0)
                return error_errnof(e, r, "copy the rootfs and what is mounted in it");
        (void) close(h->root);
        h->root = TAKE_FD(tree);
        console_reopen(h);
        return 0;
}

/* The path is what it is by now. */
int step_attach(Helper *h, const InitAttach *s, Error *e) {
        _cleanup_close_ int dir = open_rootfs(h, s->path, e);
        int r = dir < 0 ? dir : refuse_shared(h, dir, e);

        if (r >= 0 && move_mount(h->given_root, "", dir, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
                r = error_errnof(e, errno, "mount rootfs %s", s->path);
        return r;
}

int step_unmount(Helper *h, const InitUnmount *s, Error *e) {
        const char *path = s->path;
        _cleanup_close_ int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC); /* host */
        uint64_t id;

        if (fd >= 0 && mount_id(fd, &id) >= 0 && id == s->id && (fchdir(fd) < 0 || umount2(".", MNT_DETACH) < 0))
                return error_errnof(e, errno, "unmount %s", path);
        _exit(0);
}

int step_remount_root(Helper *h, const InitRemountRoot *s, Error *e) {
        int r = mount_attributes(h->root, s->attrs, 0, false);

        return r < 0 ? error_errnof(e, r, "remount /") : 0;
}

int step_share_root(Helper *h, const InitShareRoot *s, Error *e) {
        int r = mount_propagation(h->root, s->flags);

        return r < 0 ? error_errnof(e, r, "set propagation of /") : 0;
}
