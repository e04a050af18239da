/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "host/userns.h"

/* What stands in a user namespace for the uids that it has not got, that of the host's root among them. */
#define OVERFLOW_UID 65534

static char *path_of(int fd) {
        char link[64], path[PATH_MAX];
        ssize_t n;

        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        n = readlink(link, path, sizeof(path) - 1);
        path[MAX(n, 0)] = '\0';
        return xstrdup(n > 0 ? path : "it");
}

static int check_owner(int fd, const struct stat *st, bool above, const char *what, Error *reterr) {
        _cleanup_free_ char *path = NULL;

        if (st->st_uid == geteuid() || st->st_uid == 0 ||
            (above && st->st_uid == OVERFLOW_UID && !userns_is_initial()))
                return 0;
        path = path_of(fd);
        return error_setf(reterr, EPERM, "cannot trust %s: %s belongs to uid %u", what, path, st->st_uid);
}

static int check_mode(int fd, const struct stat *st, bool sticky, const char *what, Error *reterr) {
        _cleanup_free_ char *path = NULL;

        if (!(st->st_mode & (S_IWGRP | S_IWOTH)) || (sticky && st->st_mode & S_ISVTX))
                return 0;
        path = path_of(fd);
        return error_setf(reterr, EPERM, "cannot trust %s: others may write to %s (mode %04o)", what, path,
                          st->st_mode & 07777);
}

int trust_directory(int fd, const char *what, Error *reterr) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return error_errnof(reterr, errno, "cannot look at %s", what);
        return check_owner(fd, &st, false, what, reterr) ?: check_mode(fd, &st, false, what, reterr);
}

static bool is_same(const struct stat *a, const struct stat *b) {
        return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

int trust_path(int fd, const char *what, Error *reterr) {
        _cleanup_close_ int at = openat(fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        struct stat top, st, below = {};
        bool above = false;

        if (at < 0 || stat("/", &top) < 0)
                return error_errnof(reterr, errno, "cannot look at %s", what);
        for (;; above = true) {
                int next, r;

                if (fstat(at, &st) < 0)
                        return error_errnof(reterr, errno, "cannot look at %s", what);
                r = check_owner(at, &st, above, what, reterr) ?: check_mode(at, &st, true, what, reterr);
                if (r < 0 || is_same(&st, &top) || is_same(&st, &below))
                        return r;
                below = st;
                next = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
                if (next < 0)
                        return error_errnof(reterr, errno, "cannot look above %s", what);
                close_fd(at);
                at = next;
        }
}
