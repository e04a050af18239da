/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/store.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "basic/str.h"
#include "host/trust.h"
#include "oci/container-id.h"

void store_done(Store *s) {
        free(s->path);
        s->fd = close_fd(s->fd);
}

/* The directory, or the one above it in which it is to be, or the one above that. */
static int open_existing(const char *path, Error *reterr) {
        _cleanup_free_ char *copy = xstrdup(path);

        for (char *slash = copy; slash;) {
                int fd = open_named(copy, O_PATH | O_DIRECTORY, 0, NULL);

                if (fd >= 0)
                        return fd;
                if (fd != -ENOENT)
                        return open_named(copy, O_PATH | O_DIRECTORY, 0, reterr);
                slash = strrchr(copy, '/');
                if (slash)
                        slash[slash == copy] = '\0';
        }
        return error_passf(reterr, ENOENT, "%s", errno_text(ENOENT));
}

static int make_directories(const char *path) {
        _cleanup_free_ char *copy = xstrdup(path);

        for (char *p = copy + 1; (p = strchr(p, '/')); p++) {
                *p = '\0';
                if (mkdir(copy, 0755) < 0 && errno != EEXIST)
                        return -errno;
                *p = '/';
        }
        return mkdir(copy, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int make_root(const char *path, const char *what, Error *reterr) {
        _cleanup_close_ int existing = open_existing(path, reterr);
        int r;

        if (existing < 0)
                return error_prefixf(reterr, "cannot make %s", what);
        r = trust_path(existing, what, reterr);
        if (r < 0)
                return r;
        r = make_directories(path);
        return r < 0 ? error_errnof(reterr, r, "cannot make %s", what) : 0;
}

int store_open(const char *path, const Caller *caller, bool create, Store *ret, Error *reterr) {
        _cleanup_free_ char *what = xasprintf("the root directory %s", path);
        _cleanup_close_ int fd = open_named(path, O_RDONLY | O_DIRECTORY, 0, NULL);
        int r;

        if (fd == -ENOENT && create) {
                r = make_root(path, what, reterr);
                if (r < 0)
                        return r;
        }
        if (fd < 0 && (fd != -ENOENT || create)) {
                fd = open_named(path, O_RDONLY | O_DIRECTORY, 0, reterr);
                if (fd < 0)
                        return error_prefixf(reterr, "cannot open %s", what);
        }
        r = fd < 0 ? 0 : trust_path(fd, what, reterr);
        if (r < 0)
                return r;
        *ret = (Store){ .caller = caller, .path = xstrdup(path), .fd = TAKE_FD(fd) };
        return 0;
}

static int compare(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

int store_list(const Store *s, Arena *a, char ***ret, Error *reterr) {
        _cleanup_free_ char **found = NULL;
        struct dirent *entry;
        size_t n = 0;
        DIR *dir;
        int fd;

        fd = s->fd < 0 ? -EBADF : openat(s->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (s->fd >= 0 && fd < 0)
                return error_errnof(reterr, errno, "cannot read the root directory %s", s->path);
        dir = fd < 0 ? NULL : fdopendir(fd);
        while (dir && (entry = readdir(dir)))
                if (container_id_is_valid(entry->d_name)) {
                        GREW(found, n);
                        found[n++] = arena_strdup(a, entry->d_name);
                }
        if (dir)
                closedir(dir);
        if (n > 0)
                qsort(found, n, sizeof(*found), compare);
        *ret = arena_calloc(a, n + 1, sizeof(char *));
        if (n > 0)
                memcpy(*ret, found, n * sizeof(char *));
        return 0;
}
