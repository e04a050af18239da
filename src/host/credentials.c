/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/credentials.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "basic/fd.h"
#include "basic/file.h"

/* systemd's own limit for all of a unit. */
#define TOTAL_MAX_BYTES ((size_t) 1024 * 1024)

static int read_one(int dir, const char *name, size_t limit, Arena *a, Credential *ret) {
        _cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        _cleanup_free_ char *bytes = NULL;
        struct stat st;
        int r;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return 0;
        *ret = (Credential){ .name = arena_strdup(a, name) };
        r = read_file_fd(fd, limit, &bytes, &ret->size);
        if (r == 0 && ret->size > 0)
                ret->bytes = memcpy(arena_alloc(a, ret->size), bytes, ret->size);
        return r < 0 ? r : 1;
}

static int read_all(DIR *files, Arena *a, Credential **list, size_t *n) {
        size_t left = TOTAL_MAX_BYTES;
        struct dirent *entry;

        while ((entry = readdir(files))) {
                Credential one = {};
                int r = entry->d_name[0] == '.' ? 0 : read_one(dirfd(files), entry->d_name, left, a, &one);

                if (r < 0)
                        return r;
                if (r == 0)
                        continue;
                left -= one.size;
                GREW(*list, *n);
                (*list)[(*n)++] = one;
        }
        return 0;
}

int credentials_read(const char *directory, Arena *a, Credential **ret, size_t *ret_n, Error *reterr) {
        _cleanup_free_ Credential *list = NULL;
        DIR *files = opendir(directory);
        size_t n = 0;
        int r = files ? read_all(files, a, &list, &n) : -errno;

        if (files)
                closedir(files);
        if (r < 0)
                return error_errnof(reterr, r, "cannot read the credentials of the service in %s", directory);
        *ret = arena_calloc(a, n, sizeof(**ret));
        if (n > 0)
                memcpy(*ret, list, n * sizeof(**ret));
        *ret_n = n;
        return 0;
}
