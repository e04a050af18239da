/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/mounts.h"

#include <limits.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "helper/steps.h"
#include "helper/targets.h"

int step_open_fs(Helper *h, const InitOpenFs *s, Error *e) {
        const NewFs new = {
                .type = s->type,
                .source = s->source,
                .options = s->options,
                .super = s->super,
                .pid_namespace = s->pid_namespace,
        };
        _cleanup_close_ int fd = -EBADF;
        int r;

        if (newfs_needs_classic(&new))
                return error_setf(e, EOPNOTSUPP, "create %s: an option is too long, or for the older call alone, which "
                                  "cannot make a mount without a place", s->type);
        r = newfs_create(h, &new, &fd, e);
        if (r >= 0)
                r = mount_map(h, fd, s->idmap, false, e);
        if (r >= 0)
                r = helper_fill_slot(h, s->slot, &fd, e);
        return r < 0 ? error_prefixf(e, "create %s", s->type) : 0;
}

static int bind_source(Helper *h, const InitBind *s, int *ret, Error *e) {
        int fd, r;

        if (!s->slot) {
                fd = source_open(h, s->source, s->extra, e);
                if (fd < 0)
                        return fd;
        } else {
                fd = helper_take_slot(h, s->slot, e);
                if (fd < 0)
                        return fd;
                /* It was copied before the mount namespace: it has not been cut off from the host's yet. */
                r = mount_propagation(fd, h->opened_propagation);
                if (r < 0) {
                        close_fd(fd);
                        return error_errnof(e, r, "set propagation of mount source for %s", s->target);
                }
        }
        *ret = fd;
        return 0;
}

/* copy-symlink: the source is the link itself. What is there already has to be the same. */
static int copy_link(Helper *h, int link, const char *path, Error *e) {
        char text[PATH_MAX], old[PATH_MAX];
        _cleanup_close_ int dir = -EBADF;
        const char *name;
        ssize_t n, n_old;
        int r;

        r = target_open_parent(h, path, &dir, &name, e);
        if (r < 0)
                return r;
        n = readlinkat(link, "", text, sizeof(text));
        if (n < 0 || n == (ssize_t) sizeof(text))
                return error_errnof(e, n < 0 ? errno : ENAMETOOLONG, "read symlink for %s", path);
        text[n] = '\0';
        if (symlinkat(text, dir, name) == 0)
                return 0;
        if (errno != EEXIST)
                return error_errnof(e, errno, "create symlink %s", path);
        n_old = readlinkat(dir, name, old, sizeof(old));
        if (n_old != n || memcmp(old, text, (size_t) n) != 0)
                return error_setf(e, EEXIST, "create symlink %s: something else is there already", path);
        return 0;
}

/* The mount of a new tmpfs that could not know yet what it would cover. */
static int take_mode(int mount_fd, int place, const char *path, Error *e) {
        _cleanup_close_ int fd = openat(mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct stat st;

        if (fd < 0 || fstat(place, &st) < 0 || fchmod(fd, st.st_mode & 07777) < 0)
                return error_errnof(e, errno, "set mode of %s", path);
        return 0;
}

static int set_bind_attributes(int mount_fd, const InitBind *s, Error *e) {
        int r = mount_change_all(mount_fd, s->attrs, s->clear, s->recursive_attrs, s->recursive_clear);

        return r < 0 ? error_errnof(e, r, "set attributes of the mount at %s", s->target) : 0;
}

static int set_propagation(int mount_fd, uint64_t all, uint64_t top, const char *target, Error *e) {
        int r = mount_propagation(mount_fd, all);

        if (r >= 0)
                r = mount_propagation(mount_fd, top);
        return r < 0 ? error_errnof(e, r, "set propagation of the mount at %s", target) : 0;
}

int step_bind(Helper *h, const InitBind *s, Error *e) {
        const char *target = s->target;
        _cleanup_close_ int mount_fd = -EBADF, place = -EBADF;
        uint32_t extra = s->extra;
        struct stat st;
        int r;

        r = bind_source(h, s, &mount_fd, e);
        if (r < 0)
                return r;
        if (fstat(mount_fd, &st) < 0) /* NOLINT(clang-analyzer-unix.StdCLibraryFunctions): set when r is 0 */
                return error_errnof(e, errno, "stat mount source for %s", target);
        if (S_ISLNK(st.st_mode) && (extra & INIT_COPY_SYMLINK))
                return copy_link(h, mount_fd, target, e);
        r = target_open(h, target, S_ISDIR(st.st_mode) ? TARGET_DIRECTORY : TARGET_FILE, extra, &place, e);
        if (r == 0 && (extra & INIT_TARGET_MODE))
                r = take_mode(mount_fd, place, target, e);
        if (r >= 0)
                r = target_check(place, mount_fd, extra, target, e);
        if (r >= 0)
                r = set_bind_attributes(mount_fd, s, e);
        if (r >= 0)
                r = target_attach(h, place, mount_fd, target, e);
        if (r >= 0)
                r = set_propagation(mount_fd, s->propagation, s->top_propagation, target, e);
        return r < 0 ? r : target_keep(h, s->keep, mount_fd, e);
}

/* A namespace that we share, and have no power over, is what the host's mounts show, too. */
static int host_fallback(const Helper *h, const InitMount *s, int refused, Error *e) {
        const char *path = streq(s->type, "sysfs") ? "/sys" : streq(s->type, "proc") ? "/proc" : "/dev/mqueue";
        int fd = source_open(h, path, INIT_RECURSIVE, NULL), r;

        if (fd < 0)
                return -refused;
        r = mount_attributes(fd, s->attrs, 0, true);
        if (r < 0) {
                close_fd(fd);
                return error_errnof(e, r, "set attributes of the mount at %s", s->target);
        }
        error_done(e);
        return fd;
}

/* A devpts of our own is where the console comes from, whatever is put over /dev/pts later. */
static int remember(Helper *h, const InitMount *s, int mount_fd, Error *e) {
        if (!streq(s->type, "devpts") || !streq(s->target, "/dev/pts"))
                return 0;
        close_fd(h->devpts);
        h->devpts = fcntl(mount_fd, F_DUPFD_CLOEXEC, 0);
        return h->devpts < 0 ? error_errnof(e, errno, "keep the mount at /dev/pts") : 0;
}

/* The new file system, attached at place. */
static int mount_new(Helper *h, const InitMount *s, int place, mode_t mode, Error *e) {
        const NewFs new = {
                .type = s->type,
                .source = s->source,
                .options = s->options,
                .attrs = s->attrs,
                .super = s->super,
                .pid_namespace = s->pid_namespace,
                .mode = mode,
        };
        const char *target = s->target;
        uint32_t extra = s->extra;
        _cleanup_close_ int mount_fd = -EBADF;
        bool classic = newfs_needs_classic(&new);
        int r = classic ? target_check(place, -EBADF, extra, target, e) : 0;

        if (r >= 0)
                r = classic ? newfs_mount_classic(h, &new, place, target, &mount_fd, e)
                            : newfs_create(h, &new, &mount_fd, e);
        if ((r == -EPERM || r == -EBUSY) && (extra & INIT_HOST_FALLBACK))
                mount_fd = r = host_fallback(h, s, -r, e);
        if (r >= 0 && (extra & INIT_COPY_UP))
                r = tree_copy(place, mount_fd, target, e);
        if (r >= 0 && !classic)
                r = target_check(place, mount_fd, extra, target, e);
        if (r >= 0 && !classic)
                r = target_attach(h, place, mount_fd, target, e);
        if (r < 0)
                return r;
        r = mount_propagation(mount_fd, s->propagation);
        if (r < 0)
                return error_errnof(e, r, "set propagation");
        r = remember(h, s, mount_fd, e);
        return r < 0 ? r : target_keep(h, s->keep, mount_fd, e);
}

int step_mount(Helper *h, const InitMount *s, Error *e) {
        const char *target = s->target;
        _cleanup_close_ int place = -EBADF;
        struct stat st = {};
        int r;

        r = target_open(h, target, TARGET_DIRECTORY, s->extra, &place, e);
        if (r == 0 && (s->extra & INIT_TARGET_MODE) && fstat(place, &st) < 0)
                r = error_errnof(e, errno, "stat");
        if (r >= 0)
                r = mount_new(h, s, place, st.st_mode & 07777, e);
        if (r < 0)
                return error_prefixf(e, "mount %s to rootfs at %s", s->type, target);
        return 0;
}

int step_remount(Helper *h, const InitRemount *s, Error *e) {
        _cleanup_close_ int fd = target_look_up(h, s->mount, s->path, s->rest);
        int r = fd < 0 ? fd : mount_attributes(fd, s->attrs, s->clear, false);

        if (r >= 0)
                r = mount_attributes(fd, s->recursive_attrs, s->recursive_clear, true);
        if (r < 0)
                return error_errnof(e, r, "remount %s", s->path);
        return set_propagation(fd, s->propagation, s->top_propagation, s->path, e);
}
