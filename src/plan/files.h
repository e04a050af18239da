/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/alloc.h"
#include "oci/spec.h"
#include "plan/facts.h"

/* The files of the host that a configuration names, for who wants to know whether they are there. Pure. */

typedef enum FileNeed {
        FILE_ANY,
        FILE_DIRECTORY,
        FILE_EXECUTABLE,
} FileNeed;

typedef struct FileUse {
        const char *origin;     /* JSON path */
        const char *path;       /* absolute */
        FileNeed need;
        bool in_rootfs;         /* the path is the container's */
        bool may_come;          /* a hook may make it before it is looked for, or an earlier mount bring it */
} FileUse;

typedef struct FileUses {
        FileUse *uses;
        size_t n;
        Arena arena;
} FileUses;

void file_uses_done(FileUses *files);
/* bundle: absolute. */
void file_uses_build(const Spec *spec, const char *bundle, const HostQueries *queries, FileUses *ret);

/* The source of a bind mount as it was written: ".." behind a symlink leads elsewhere than by its name. */
const char *file_source(const char *bundle, const char *source, Arena *a);
/* What that is called in the container, if it is in the rootfs; NULL. Up to there symlinks are the
 * host's, and what is in there is the container's, which may have put others there. */
const char *file_in_rootfs(const Spec *spec, const char *bundle, const HostQueries *queries, const char *source, Arena *a);

/* Where the program may be in the rootfs, as the helper looks for it: full paths, in order. The rootfs may not be all that
 * the container has: *ret_covered says that something is mounted or made there. */
void file_uses_program(const Spec *spec, Arena *a, Strings *ret, bool *ret_covered);
