/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/file.h"

#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/str.h"

#define OPEN_TRIES 128
#define LINKS_MAX 40U /* as many as the kernel follows */

int open_at(int dir, const char *path, int flags, mode_t mode, uint64_t resolve) {
        struct open_how how = {
                .flags = (uint64_t) (unsigned) (flags | O_CLOEXEC),
                .mode = flags & (O_CREAT | O_TMPFILE) & ~O_DIRECTORY ? mode : 0,
                .resolve = resolve,
        };

        for (unsigned i = 0;; i++) {
                long fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));

                if (fd >= 0)
                        return (int) fd;
                if ((errno != EAGAIN && errno != EINTR) || i == OPEN_TRIES)
                        return -errno;
        }
}

int open_in_root(int root, const char *path, int flags, mode_t mode) {
        return open_at(root, path, flags, mode, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int read_file_fd(int fd, size_t limit, char **ret, size_t *ret_size) {
        _cleanup_free_ char *bytes = NULL;
        size_t n = 0, room = 0;
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        for (;;) {
                ssize_t r;

                if (room - n < 2) {
                        room = room == 0 ? MAX((size_t) (st.st_size > 0 ? st.st_size : 0), (size_t) 2046) + 2
                                         : 2 * room;
                        if (room > limit + 2)
                                room = limit + 2;
                        bytes = xreallocarray(bytes, room, 1);
                }
                r = read_full(fd, bytes + n, room - n - 1);
                if (r < 0)
                        return (int) r;
                n += (size_t) r;
                if (n > limit)
                        return -EFBIG;
                if (n < room - 1)
                        break;
        }
        bytes[n] = '\0';
        *ret = TAKE_PTR(bytes);
        if (ret_size)
                *ret_size = n;
        return 0;
}

int read_file_at(int dir, const char *path, size_t limit, char **ret, size_t *ret_size) {
        _cleanup_close_ int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

        if (fd < 0)
                return -errno;
        return read_file_fd(fd, limit, ret, ret_size);
}

int write_kernel_file(int dir, const char *path, const char *value) {
        _cleanup_close_ int fd = openat(dir, path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);

        if (fd < 0)
                return -errno;
        if (write(fd, value, strlen(value)) < 0)
                return -errno;
        return 0;
}

int write_file_atomic_at(int dir, const char *path, const void *bytes, size_t size, mode_t mode) {
        _cleanup_free_ char *temporary = NULL;
        const char *slash = strrchr(path, '/');
        int prefix = slash ? (int) (slash - path) + 1 : 0;
        _cleanup_close_ int fd = -EBADF;
        int r;

        temporary = xasprintf("%.*s.%s.%d.tmp", prefix, path, path + prefix, getpid());
        fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
        if (fd < 0 && errno == EEXIST && unlinkat(dir, temporary, 0) == 0) /* of a process that was killed */
                fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
        if (fd < 0)
                return -errno;
        r = write_full(fd, bytes, size);
        if (r == 0 && renameat(dir, temporary, dir, path) < 0)
                r = -errno;
        if (r < 0)
                (void) unlinkat(dir, temporary, 0);
        return r;
}

/* --- what a caller named ---------------------------------------------------------------------------------------- */

/* The owner of a symlink in that directory. */
static bool is_trusted(uid_t uid, int dir) {
        struct stat root, st;

        if (uid == geteuid() || uid == 0)
                return true;
        /* Seen from a user namespace root may be somebody else, but still has the root directory. So may everybody who is
         * unknown there: what anybody can put somewhere is not root's then. */
        return stat("/", &root) == 0 && uid == root.st_uid && fstat(dir, &st) == 0 && !(st.st_mode & (S_IWGRP | S_IWOTH));
}

/* What the kernel makes up has no place where it could be planted, and may lead to what has no path: /dev/stderr. */
static bool is_magic(int link) {
        struct statfs fs;

        return fstatfs(link, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

/* Where a walk along a path is, and what is left of it. */
typedef struct Walk {
        int dir;
        char *rest;
        unsigned links;
} Walk;

static void walk_done(Walk *w) {
        w->dir = close_fd(w->dir);
        free(w->rest);
}

static int walk_top(const char *path) {
        return open(path[0] == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* What is left is then empty, or begins with a slash. */
static char *walk_next(Walk *w) {
        char *begin = w->rest + strspn(w->rest, "/"), *end = begin + strcspn(begin, "/");
        char *name = end > begin ? xasprintf("%.*s", (int) (end - begin), begin) : xstrdup(".");

        memmove(w->rest, end, strlen(end) + 1);
        return name;
}

/* What is left begins with the target of the symlink; at the top, if that is absolute. */
static int walk_along(Walk *w, int link) {
        char target[PATH_MAX], *rest;
        ssize_t n = readlinkat(link, "", target, sizeof(target) - 1);

        if (n <= 0 || ++w->links > LINKS_MAX)
                return n < 0 ? -errno : n == 0 ? -ENOENT : -ELOOP;
        target[n] = '\0';
        rest = xasprintf("%s%s", target, w->rest);
        free(w->rest);
        w->rest = rest;
        if (target[0] == '/') {
                close_fd(w->dir);
                w->dir = walk_top(target);
        }
        return w->dir < 0 ? -errno : 0;
}

static int walk_down(Walk *w, const char *name, int nofollow) {
        int dir = openat(w->dir, name, O_PATH | O_DIRECTORY | O_CLOEXEC | nofollow);

        if (dir < 0)
                return -errno;
        close_fd(w->dir);
        w->dir = dir;
        return 0;
}

/* One name after the other, each of which is looked at. */
int open_named(const char *path, int flags, mode_t mode, Error *reterr) {
        _cleanup_(walk_done) Walk w = { .dir = walk_top(path), .rest = xstrdup(path) };
        int r = w.dir < 0 ? -errno : isempty(path) ? -ENOENT : 0;

        while (r == 0) {
                _cleanup_free_ char *name = walk_next(&w);
                _cleanup_close_ int entry = openat(w.dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), fd = -EBADF;
                struct stat st = {};
                bool is_link = entry >= 0 && fstat(entry, &st) == 0 && S_ISLNK(st.st_mode), magic = is_link && is_magic(entry);
                int nofollow = magic ? 0 : O_NOFOLLOW;

                if (is_link && !magic && !is_trusted(st.st_uid, w.dir))
                        return error_setf(reterr, ELOOP, "the symlink %s on the way belongs to user %u", name,
                                          (unsigned) st.st_uid);
                if (is_link && !magic)
                        r = walk_along(&w, entry);
                else if (w.rest[0])
                        r = walk_down(&w, name, nofollow);
                else {
                        fd = openat(w.dir, name, flags | nofollow | O_CLOEXEC, mode);
                        r = fd < 0 ? -errno : 1;
                }
                if (r > 0)
                        return TAKE_FD(fd);
        }
        return error_passf(reterr, r, "%s", errno_text(r));
}

int open_no_symlinks(const char *path, int flags, Error *reterr) {
        int fd = open_at(AT_FDCWD, path, flags, 0, RESOLVE_NO_SYMLINKS);
        _cleanup_free_ char *real = fd == -ELOOP ? realpath(path, NULL) : NULL;

        if (real)
                return error_setf(reterr, ELOOP, "a symlink on the way is not followed; it leads to %s", real);
        return fd < 0 ? error_passf(reterr, fd, "%s", errno_text(fd)) : fd;
}

int open_named_parent(const char *path, const char **ret_name, Error *reterr) {
        const char *slash = strrchr(path, '/');
        _cleanup_free_ char *parent = slash ? xasprintf("%.*s/", (int) (slash - path), path) : xstrdup(".");

        *ret_name = slash ? slash + 1 : path;
        return open_named(parent, O_PATH | O_DIRECTORY, 0, reterr);
}

int open_append(const char *path, mode_t mode, Error *reterr) {
        int flags = O_WRONLY | O_APPEND | O_NOCTTY;
        _cleanup_close_ int fd = open_named(path, flags | O_CREAT | O_NONBLOCK, mode, reterr);

        if (fd < 0)
                return fd;
        if (fcntl(fd, F_SETFL, flags) < 0)
                return error_passf(reterr, errno, "%s", errno_text(errno));
        return TAKE_FD(fd);
}

int memfd_sealed(const char *name, const void *bytes, size_t size) {
        _cleanup_close_ int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
        int r;

        if (fd < 0)
                return -errno;
        r = write_full(fd, bytes, size);
        if (r < 0)
                return r;
        if (lseek(fd, 0, SEEK_SET) < 0 ||
            fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
                return -errno;
        return TAKE_FD(fd);
}

char *path_normalize(Arena *a, const char *base, const char *path) {
        const char *parts[2] = { path[0] == '/' ? "" : base, path };
        char *out = arena_alloc(a, strlen(base) + strlen(path) + 3), *end = out;

        for (unsigned i = 0; i < ELEMENTSOF(parts); i++)
                for (const char *p = parts[i]; *p;) {
                        size_t n;

                        p += strspn(p, "/");
                        n = strcspn(p, "/");
                        if (n == 2 && p[0] == '.' && p[1] == '.')
                                while (end > out && *--end != '/')
                                        ;
                        else if (n > 0 && !(n == 1 && p[0] == '.')) {
                                *end++ = '/';
                                memcpy(end, p, n);
                                end += n;
                        }
                        p += n;
                }
        if (end == out)
                *end++ = '/';
        *end = '\0';
        return out;
}

bool path_is_below(const char *path, const char *prefix) {
        const char *rest = startswith(path, prefix);

        return rest && (rest[0] == '\0' || rest[0] == '/' || streq(prefix, "/"));
}

static size_t name_length(const char *p) {
        return strcspn(p, "/");
}

static const char *skip_dots(const char *p) {
        for (p += strspn(p, "/"); p[0] == '.' && name_length(p) == 1; p += strspn(p, "/"))
                p++;
        return p;
}

static bool leads_up(const char *p) {
        return startswith(p, "..") && name_length(p) == 2;
}

const char *path_beyond(const char *path, const char *directory) {
        path = skip_dots(path);
        while (*directory) {
                size_t n = name_length(++directory);

                if (n != name_length(path) || memcmp(path, directory, n) != 0)
                        return NULL;
                path = skip_dots(path + n);
                directory += n;
        }
        return leads_up(path) ? NULL : path;
}

static bool is_same_file(const struct stat *a, const struct stat *b) {
        return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Most paths are what they seem to be, and of another file system than the directory, which a few calls tell. */
static bool is_elsewhere(const char *path, int directory) {
        _cleanup_close_ int fd = strstr(path, "..") ? -EBADF : open_at(AT_FDCWD, path, O_PATH, 0, RESOLVE_NO_SYMLINKS);
        struct statfs a, b;

        return fd >= 0 && fstatfs(fd, &a) == 0 && fstatfs(directory, &b) == 0 &&
               (a.f_type != b.f_type || memcmp(&a.f_fsid, &b.f_fsid, sizeof(a.f_fsid)) != 0);
}

char *path_beyond_symlinks(const char *path, const char *directory) {
        _cleanup_close_ int end = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
        bool ask = end >= 0 && !is_elsewhere(path, end);
        _cleanup_(walk_done) Walk w = { .dir = ask ? walk_top(path) : -EBADF, .rest = xstrdup(path) };
        struct stat wanted, st;
        int r = w.dir < 0 || fstat(end, &wanted) < 0 ? -ENOENT : 0;

        while (r == 0 && w.rest[0]) {
                _cleanup_free_ char *name = walk_next(&w);
                _cleanup_close_ int entry = openat(w.dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

                if (entry < 0 || fstat(entry, &st) < 0)
                        break;
                if (S_ISLNK(st.st_mode) && !is_magic(entry)) {
                        r = walk_along(&w, entry);
                        continue;
                }
                r = walk_down(&w, name, S_ISLNK(st.st_mode) ? 0 : O_NOFOLLOW);
                if (r == 0 && fstat(w.dir, &st) == 0 && is_same_file(&st, &wanted) && !leads_up(skip_dots(w.rest)))
                        return xstrdup(skip_dots(w.rest));
        }
        return NULL;
}
