/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/targets.h"

#include <limits.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "helper/procfs.h"

#define LINKS_MAX 40

/* A path as it is walked: what is behind us, free of symlinks, and what is still to do. */
typedef struct Walk {
        int root;
        TargetKind kind;
        uint32_t extra;
        char done[PATH_MAX], todo[PATH_MAX]; /* "" or "/a/b"; any path */
        unsigned links;
} Walk;

static int open_done(const Walk *w, int flags) {
        return open_at(w->root, w->done[0] ? w->done : "/", flags, 0,
                       RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

/* Cuts the last component off and returns it. */
static char *cut(Walk *w) {
        char *slash = strrchr(w->done, '/');

        if (!slash)
                return NULL;
        *slash = '\0';
        return slash + 1;
}

/* Takes the next component from todo to done. 0: there is none. */
static int next(Walk *w) {
        const char *p = w->todo + strspn(w->todo, "/");
        size_t n = strcspn(p, "/"), done = strlen(w->done);

        if (n == 0)
                return 0;
        if (n == 2 && p[0] == '.' && p[1] == '.')
                (void) cut(w);
        else if (!(n == 1 && p[0] == '.')) {
                if (done + 1 + n >= sizeof(w->done))
                        return -ENAMETOOLONG;
                w->done[done] = '/';
                memcpy(w->done + done + 1, p, n);
                w->done[done + 1 + n] = '\0';
        }
        memmove(w->todo, p + n, strlen(p + n) + 1);
        return 1;
}

static bool is_last(const Walk *w) {
        return w->todo[strspn(w->todo, "/")] == '\0';
}

/* Makes the last component of done. Somebody may be faster: what is there then is looked at again. */
static int make(Walk *w) {
        _cleanup_close_ int parent = -EBADF, fd = -EBADF;
        char *name = cut(w);
        int r = 0;

        if (!name)
                return -ENOENT;
        parent = open_done(w, O_PATH | O_DIRECTORY);
        if (parent < 0)
                return parent;
        if (w->kind == TARGET_FILE && is_last(w)) {
                fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
                r = fd < 0 ? -errno : 0;
        } else if (mkdirat(parent, name, 0755) < 0)
                r = -errno;
        name[-1] = '/';
        return r == -EEXIST ? 0 : r;
}

/* Replaces the symlink that done ends in by what it says. */
static int follow(Walk *w, int fd) {
        char link[PATH_MAX];
        ssize_t n;

        if ((w->extra & INIT_NO_TARGET_SYMLINK) || ++w->links > LINKS_MAX)
                return -ELOOP;
        n = readlinkat(fd, "", link, sizeof(link));
        if (n < 0)
                return -errno;
        if ((size_t) n + 1 + strlen(w->todo) + 1 > sizeof(w->todo))
                return -ENAMETOOLONG;
        memmove(w->todo + n + 1, w->todo, strlen(w->todo) + 1);
        memcpy(w->todo, link, (size_t) n);
        w->todo[n] = '/';
        if (link[0] == '/')
                w->done[0] = '\0';
        else
                (void) cut(w);
        return 0;
}

/* Component by component, making what is missing. */
static int walk(Walk *w, Error *e) {
        for (;;) {
                _cleanup_close_ int fd = -EBADF;
                struct stat st;
                int r;

                r = next(w);
                if (r < 0)
                        return r;
                if (r == 0)
                        return open_done(w, O_PATH | O_NOFOLLOW);
                fd = open_done(w, O_PATH | O_NOFOLLOW);
                if (fd == -ENOENT) {
                        r = make(w);
                        if (r < 0)
                                return error_errnof(e, r, "make %s in the rootfs", w->done);
                        fd = open_done(w, O_PATH | O_NOFOLLOW);
                }
                if (fd < 0)
                        return fd;
                if (fstat(fd, &st) < 0)
                        return -errno;
                if (!S_ISLNK(st.st_mode) || ((w->extra & INIT_NO_TARGET_FOLLOW) && is_last(w)))
                        continue;
                r = follow(w, fd);
                if (r < 0)
                        return r;
        }
}

static int walk_from(const Helper *h, const char *path, TargetKind kind, uint32_t extra, Error *e) {
        _cleanup_free_ Walk *w = xmalloc0(sizeof(*w));

        w->root = h->root;
        w->kind = kind;
        w->extra = extra;
        if (strlen(path) >= sizeof(w->todo))
                return -ENAMETOOLONG;
        memcpy(w->todo, path, strlen(path) + 1);
        return walk(w, e);
}

/* A directory covers directories alone, and what is none the rest; a symlink where it is not to be followed. */
static bool is_fitting(const struct stat *st, TargetKind kind, uint32_t extra) {
        if (S_ISLNK(st->st_mode))
                return kind == TARGET_FILE && (extra & INIT_NO_TARGET_FOLLOW);
        return S_ISDIR(st->st_mode) == (kind == TARGET_DIRECTORY);
}

int target_open(Helper *h, const char *path, TargetKind kind, uint32_t extra, int *ret, Error *e) {
        bool direct = extra & INIT_NO_TARGET_SYMLINK;
        uint64_t resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | (direct ? RESOLVE_NO_SYMLINKS : 0);
        _cleanup_close_ int fd = -EBADF;
        bool missing;
        struct stat st;

        if (h->root < 0)
                return error_setf(e, EBADMSG, "the init plan has no rootfs before %s", path);
        fd = open_at(h->root, path, O_PATH | (extra & INIT_NO_TARGET_FOLLOW ? O_NOFOLLOW : 0), 0, resolve);
        missing = fd == -ENOENT;
        if (missing)
                fd = walk_from(h, path, kind, extra, e);
        if (fd == -ELOOP && direct)
                return error_setf(e, ELOOP, "\"%s\" must be mounted on ordinary directory", path);
        if (fd < 0)
                return error_errnof(e, fd, "open %s in the rootfs", path);
        if (fstat(fd, &st) < 0)
                return error_errnof(e, errno, "stat %s in the rootfs", path);
        if (!is_fitting(&st, kind, extra))
                return error_setf(e, kind == TARGET_DIRECTORY ? ENOTDIR : EISDIR,
                                  "open %s in the rootfs: %s", path,
                                  errno_text(kind == TARGET_DIRECTORY ? ENOTDIR : EISDIR));
        *ret = TAKE_FD(fd);
        return missing;
}

int target_open_parent(Helper *h, const char *path, int *ret_dir, const char **ret_name, Error *e) {
        const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
        _cleanup_free_ char *parent = xstrdup(path);
        int r;

        if (isempty(name) || streq(name, ".") || streq(name, ".."))
                return error_setf(e, EINVAL, "%s is not the path of a file", path);
        parent[name - path] = '\0';
        r = target_open(h, parent[0] ? parent : "/", TARGET_DIRECTORY, 0, ret_dir, e);
        if (r >= 0)
                *ret_name = name;
        return r;
}

int target_open_node(int dir, const char *name, const char *path, int *ret, Error *e) {
        _cleanup_close_ int made =
                openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        if (made < 0 && errno != EEXIST)
                return error_errnof(e, errno, "create %s in the rootfs", path);
        fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return error_errnof(e, errno, "open %s in the rootfs", path);
        if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode))
                return error_setf(e, EEXIST, "%s in the rootfs is neither a device nor a regular file",
                                  path);
        *ret = TAKE_FD(fd);
        return 0;
}

int target_check(int target, int mount, uint32_t extra, const char *path, Error *e) {
        bool mount_is_proc = procfs_is_root(mount);

        if ((extra & INIT_SOURCE_PROC) && !mount_is_proc)
                return error_setf(e, EINVAL, "%s: only a procfs can be mounted there", path);
        if (!procfs_is(target))
                return 0;
        if (procfs_is_root(target) ? mount_is_proc : (extra & INIT_TARGET_ON_PROC) != 0)
                return 0;
        return error_setf(e, EINVAL, "%s is inside a procfs, which cannot be mounted over", path);
}

/* Something mounted on the very root of the container is its root from then on. */
static int is_root(const Helper *h, int target) {
        struct statx a, b;

        if (statx(target, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &a) < 0 ||
            statx(h->root, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &b) < 0)
                return -errno;
        return a.stx_ino == b.stx_ino && a.stx_mnt_id == b.stx_mnt_id;
}

int target_attach(Helper *h, int target, int mount, const char *path, Error *e) {
        int root = is_root(h, target);

        if (root < 0)
                return error_errnof(e, root, "stat %s in the rootfs", path);
        if (move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
                return error_errnof(e, errno, "attach mount at %s", path);
        if (root) {
                int fd = fcntl(mount, F_DUPFD_CLOEXEC, 0);

                if (fd < 0)
                        return error_errnof(e, errno, "keep mount at %s", path);
                (void) close(h->root);
                h->root = fd;
        }
        return 0;
}

/* A symlink that is mounted there is what is there, and one that lies there leads to it. */
static int look_up(const Helper *h, const char *path) {
        _cleanup_close_ int fd = open_in_root(h->root, path, O_PATH | O_NOFOLLOW, 0);
        struct statx st;

        if (fd >= 0 && statx(fd, "", AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_TYPE, &st) < 0)
                return -errno;
        if (fd < 0 || !S_ISLNK(st.stx_mode) || (st.stx_attributes & STATX_ATTR_MOUNT_ROOT))
                return TAKE_FD(fd);
        return open_in_root(h->root, path, O_PATH, 0);
}

/* Names in the rootfs may lead elsewhere by now. Below the mount a symlink may lead out of it: then it is by the name
 * that the container would get there, too. */
int target_look_up(Helper *h, InitSlot mount, const char *path, const char *rest) {
        int top, fd;

        if (!mount)
                return look_up(h, path);
        top = helper_slot(h, mount, NULL);
        if (top < 0)
                return top;
        if (!rest) {
                fd = fcntl(top, F_DUPFD_CLOEXEC, 0);
                return fd < 0 ? -errno : fd;
        }
        fd = open_at(top, rest, O_PATH, 0, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
        return fd == -EXDEV ? open_in_root(h->root, path, O_PATH, 0) : fd;
}

int target_keep(Helper *h, InitSlot slot, int mount, Error *e) {
        _cleanup_close_ int fd = -EBADF;

        if (!slot)
                return 0;
        fd = fcntl(mount, F_DUPFD_CLOEXEC, 0);
        if (fd < 0)
                return error_errnof(e, errno, "keep mount");
        return helper_fill_slot(h, slot, &fd, e);
}
