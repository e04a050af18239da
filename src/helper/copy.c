/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "helper/mounts.h"

/* tmpcopyup: the tree under a directory of the image into the new tmpfs that will cover it. Nothing is
 * followed. The destination is ours alone until it is attached. */

#define DEPTH_MAX 64
#define XATTR_MAX 65536

/* Attributes that the destination cannot hold (or we may not set) are left behind. */
static int copy_xattrs(int from, int to) {
        _cleanup_free_ char *names = NULL, *value = NULL;
        ssize_t n = flistxattr(from, NULL, 0);

        if (n <= 0)
                return n < 0 && errno != ENOTSUP ? -errno : 0;
        names = xmalloc0((size_t) n + 1);
        value = xmalloc0(XATTR_MAX);
        n = flistxattr(from, names, (size_t) n);
        if (n < 0)
                return -errno;
        for (const char *name = names; name < names + n; name += strlen(name) + 1) {
                ssize_t size = fgetxattr(from, name, value, XATTR_MAX);

                if (size >= 0 && fsetxattr(to, name, value, (size_t) size, 0) < 0 && errno != ENOTSUP &&
                    errno != EPERM)
                        return -errno;
        }
        return 0;
}

static int copy_attributes(int from, int to, const struct stat *st) {
        struct timespec times[2] = { st->st_atim, st->st_mtim };

        if (fchown(to, st->st_uid, st->st_gid) < 0 || fchmod(to, st->st_mode & 07777) < 0)
                return -errno;
        if (futimens(to, times) < 0)
                return -errno;
        return copy_xattrs(from, to);
}

static int copy_file(int from, int to, const char *name) {
        _cleanup_close_ int in =
                openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        _cleanup_close_ int out = -EBADF;
        struct stat st;
        ssize_t n;

        if (in < 0 || fstat(in, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EAGAIN;
        out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (out < 0)
                return -errno;
        do
                n = sendfile(out, in, NULL, 1U << 30);
        while (n > 0 || (n < 0 && errno == EINTR));
        return n < 0 ? -errno : copy_attributes(in, out, &st);
}

/* Symlinks, devices, pipes and sockets. */
static int copy_node(int from, int to, const char *name, const struct stat *st) {
        char target[4096];
        ssize_t n;

        if (S_ISLNK(st->st_mode)) {
                n = readlinkat(from, name, target, sizeof(target) - 1);
                if (n < 0)
                        return -errno;
                target[n] = '\0';
                if (symlinkat(target, to, name) < 0)
                        return -errno;
        } else if (mknodat(to, name, st->st_mode, st->st_rdev) < 0)
                return -errno;
        return fchownat(to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int copy_directory(int from, int to, unsigned depth);

static int copy_entry(int from, int to, const char *name, unsigned depth) {
        _cleanup_close_ int in = -EBADF, out = -EBADF;
        struct stat st;
        int r;

        if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (S_ISREG(st.st_mode))
                return copy_file(from, to, name);
        if (!S_ISDIR(st.st_mode))
                return copy_node(from, to, name, &st);
        if (depth == DEPTH_MAX)
                return -ELOOP;
        in = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (in < 0 || mkdirat(to, name, 0700) < 0)
                return -errno;
        out = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (out < 0)
                return -errno;
        r = copy_directory(in, out, depth + 1);
        return r < 0 ? r : copy_attributes(in, out, &st);
}

static void closedirp(DIR **d) {
        if (*d)
                (void) closedir(*d);
}

static int copy_directory(int from, int to, unsigned depth) {
        _cleanup_close_ int fd = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_(closedirp) DIR *d = NULL;

        if (fd < 0)
                return -errno;
        d = fdopendir(fd);
        if (!d)
                return -errno;
        (void) TAKE_FD(fd);
        for (;;) {
                struct dirent *entry;
                int r;

                errno = 0;
                entry = readdir(d);
                if (!entry)
                        return -errno;
                if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
                        continue;
                r = copy_entry(from, to, entry->d_name, depth);
                if (r < 0)
                        return r;
        }
}

int tree_copy(int from, int to, const char *path, Error *e) {
        int r = copy_directory(from, to, 0);

        return r < 0 ? error_errnof(e, r, "copy the contents of %s", path) : 0;
}
