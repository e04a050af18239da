/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <sys/types.h>

#include "basic/alloc.h"
#include "basic/error.h"

/* Files: directory descriptor first, path second. All functions return -errno. */

/* openat2(2), always O_CLOEXEC, tried again on EAGAIN and EINTR (a rename raced with the walk). */
int open_at(int dir, const char *path, int flags, mode_t mode, uint64_t resolve);

/* Within `root` as if it were "/": symlinks and ".." stay inside, no magic links. The only way by which a
 * path inside a container's rootfs may be walked. */
int open_in_root(int root, const char *path, int flags, mode_t mode);

/* The whole file with a NUL behind it, up to limit bytes (-EFBIG beyond); *ret is the caller's to free. */
int read_file_at(int dir, const char *path, size_t limit, char **ret, size_t *ret_size);
/* The same from an open descriptor. */
int read_file_fd(int fd, size_t limit, char **ret, size_t *ret_size);

/* A short kernel file ("memory.max", "oom_score_adj"): one write, no O_CREAT. */
int write_kernel_file(int dir, const char *path, const char *value);

/* The new contents appear at once or not at all: a temporary file beside it, renamed. */
int write_file_atomic_at(int dir, const char *path, const void *bytes, size_t size, mode_t mode);

/* What whoever called us named: as open(2), but a symlink on the way is followed only if it is ours or root's, as
 * anybody else may have planted it. The error is the reason alone: "no such file or directory". */
int open_named(const char *path, int flags, mode_t mode, Error *reterr);
/* No symlink on the way is followed, whosever it is. The error says where they lead. */
int open_no_symlinks(const char *path, int flags, Error *reterr);
/* The directory that path is in, and the rest of it. */
int open_named_parent(const char *path, const char **ret_name, Error *reterr);

/* The same for writing at the end; made if it is missing. What is there may be a FIFO: that does not wait for a
 * reader. */
int open_append(const char *path, mode_t mode, Error *reterr);

/* A sealed memfd with these bytes, read position at 0. */
int memfd_sealed(const char *name, const void *bytes, size_t size);

/* Where programs of a container are looked for that has no PATH. */
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Absolute, no "." or "..", no double slash; the path is not looked up. base must be absolute. */
char *path_normalize(Arena *a, const char *base, const char *path);
/* Is path equal to prefix, or below it? Both normalized. */
bool path_is_below(const char *path, const char *prefix);

/* What is left of the path once it has come to the directory, which is normalized: by its names alone, and never what begins
 * with "..", as that leads out again. NULL: it does not come there. */
const char *path_beyond(const char *path, const char *directory);
/* The same by "..", by symlinks that are not in the directory, and by other mounts of that. For free(). */
char *path_beyond_symlinks(const char *path, const char *directory);
