/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/alloc.h"
#include "oci/spec.h"

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
        bool may_come;          /* a hook may make it before it is looked for */
} FileUse;

typedef struct FileUses {
        FileUse *uses;
        size_t n;
        Arena arena;
} FileUses;

void file_uses_done(FileUses *files);
/* bundle: absolute. */
void file_uses_build(const Spec *spec, const char *bundle, FileUses *ret);

/* Where the program may be in the rootfs, as the helper looks for it: full paths, in order. The rootfs may not be all that
 * the container has: *ret_covered says that something is mounted or made there. */
void file_uses_program(const Spec *spec, Arena *a, Strings *ret, bool *ret_covered);
