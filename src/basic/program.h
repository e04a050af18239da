/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

#include "basic/error.h"

/* How much of what a failed program wrote, its end, goes into the error. */
#define PROGRAM_OUTPUT_MAX 1024U

/* A program of somebody else's that is run to its end: a hook, newuidmap(1), ps(1). It leads a process group of its own, has
 * no descriptors but the three and no signals blocked or ignored, and dies with us. */
typedef struct Program {
        const char *path;
        bool in_path;                   /* path is a name, to be looked for in $PATH */
        const char *const *args;        /* NULL: the path alone */
        const char *const *environment; /* NULL: an empty one */
        int input;
        int out, err;                   /* or -EBADF: the end of what it writes is for the error */
        unsigned timeout;               /* seconds; 0: none */

        /* In the child, last of all before it is executed. Who returns a negative errno has said why on descriptor 2. */
        int (*prepare)(const void *data);
        const void *data;
} Program;

/*
 * 0 if its exit status is 0. Else -EIO and "exit status 1: what it wrote", or "killed by signal 9", "timed out after 2 s",
 * "interrupted by signal 15" (loop_interrupt(); taken from there) in its place: it has been killed then, with all of its
 * process group.
 */
int program_run(const Program *p, Error *reterr);
