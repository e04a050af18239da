/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/file.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/str.h"

#define OPEN_TRIES 128

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

int open_append(const char *path) {
        int flags = O_WRONLY | O_APPEND | O_NOCTTY;
        _cleanup_close_ int fd = open(path, flags | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0600);

        if (fd < 0 || fcntl(fd, F_SETFL, flags) < 0)
                return -errno;
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
