/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "basic/alloc.h"
#include "basic/str.h"

/*
 * The init plan: what the helper does, step by step, from the moment it is spawned until it becomes the
 * container's process. It is data: built by a pure function (build.h), printed one line a step for the
 * golden tests, handed to the helper in a sealed memfd, executed there in order (helper/). The helper decides
 * nothing; if the order of things matters, the plan says it.
 *
 * What steps there are: steps.def. Includes nothing but basic/, because the helper is a static binary of its own.
 */

/* Where steps leave descriptors for later ones: 1 to INIT_SLOTS, and 0, which goes without saying, is none. As printed the
 * first is 0. */
typedef uint32_t InitSlot;
#define INIT_SLOTS 512U

/* A uid or gid that means: leave it as it is (what chown(2) takes). */
#define INIT_KEEP_ID UINT32_MAX

/* "set" of INIT_DEVICE. */
#define INIT_SET_MODE (1U << 0)
#define INIT_SET_OWNER (1U << 1)

/* "extra" of INIT_MOUNT, INIT_BIND and INIT_OPEN_TREE. A target that lies on a procfs is refused unless INIT_TARGET_ON_PROC
 * is there, however the path led to it. Recursive attributes are set after the others. */
#define INIT_COPY_UP (1U << 0)        /* tmpcopyup: what is at the target is copied into the new tmpfs */
#define INIT_HOST_FALLBACK (1U << 1)  /* refused, because its namespace is not ours: bind the host's mount instead */
#define INIT_TARGET_FILE (1U << 2)    /* the target is made as a file when it is missing (else: by the source's type) */
#define INIT_NO_TARGET_SYMLINK (1U << 3) /* /proc and /sys: the target must be a directory, not a symlink */
#define INIT_RECURSIVE (1U << 4)      /* rbind */
#define INIT_TARGET_ON_PROC (1U << 5) /* one of the files of /proc that may be covered */
#define INIT_SOURCE_PROC (1U << 6)    /* a bind on /proc: the source must be the root of a procfs */
#define INIT_TARGET_MODE (1U << 7)    /* tmpfs without a mode: takes that of the directory it covers, if that existed */
#define INIT_NO_SOURCE_FOLLOW (1U << 8) /* a source that is a symlink is bound itself */
#define INIT_NO_TARGET_FOLLOW (1U << 9) /* a target that is a symlink is covered itself */
#define INIT_COPY_SYMLINK (1U << 10)  /* a source that is a symlink is made at the target once more instead */
#define INIT_SOURCE_IN_ROOT (1U << 11) /* the source is a path in the rootfs, with what is mounted there so far */
#define INIT_LOCKED (1U << 12) /* of a mount for a user namespace: INIT_LOCK_SOURCES locks it */
/* What is about the source, of which INIT_OPEN_TREE is told where there is one. */
#define INIT_OF_SOURCE (INIT_RECURSIVE | INIT_NO_SOURCE_FOLLOW | INIT_SOURCE_IN_ROOT | INIT_LOCKED)

typedef struct InitBlob {
        const void *bytes;
        size_t size;
} InitBlob;

typedef enum InitOp {
        _INIT_OP_NONE,
#define STEP(OP, ...) INIT_##OP,
#include "plan/init/steps.def"
        _INIT_OP_MAX,
} InitOp;

#define OPERAND(kind, type, name) type name;
#define STEP(OP, step, Step, ...) typedef struct Init##Step { __VA_ARGS__ } Init##Step;
#include "plan/init/steps.def"

typedef struct InitStep {
        InitOp op;
        const char *origin;           /* the JSON path that it comes from, in front of its errors; NULL: they say enough
                                       * themselves. Not printed */
        union {
#define STEP(OP, step, Step, ...) Init##Step step;
#include "plan/init/steps.def"
        };
} InitStep;

typedef struct InitPlan {
        InitStep *steps;
        size_t n_steps;
        /* Left to the launcher; the first two once the helper is ready: */
        bool launcher_schedules;      /* process.scheduler and ioPriority */
        bool launcher_gives_stdio;    /* what INIT_STDIO_OWNER does */
        uint8_t piped;                /* of 0, 1 and 2, a bit each, those that the process is not to have: it gets pipes, and
                                       * the launcher copies */
        Strings warnings;             /* for people: what is passed over, and why. Not handed to the helper */
        Arena arena;
} InitPlan;

void init_plan_done(InitPlan *plan);

/* "mount", "open_tree"; "?" for what is no op. */
const char *init_op_name(InitOp op);

/* Appends a step whose operands are to be filled in: *init_add_mkdir(plan, NULL) = (InitMkdir){ .path = "/a" }. Valid until
 * the next call. */
InitStep *init_plan_add(InitPlan *plan, InitOp op, const char *origin);
#define STEP(OP, step, Step, ...)                                                       \
        static inline Init##Step *init_add_##step(InitPlan *plan, const char *origin) { \
                return &init_plan_add(plan, INIT_##OP, origin)->step;                   \
        }
#include "plan/init/steps.def"

/* Has the plan a step `op`, with no step `before` in front of it? */
bool init_plan_comes_to(const InitPlan *plan, InitOp op, InitOp before);

/* One line a step, "mount type=proc source=proc target=/proc attrs=nosuid,nodev,noexec": for people and goldens. */
void init_plan_print(const InitPlan *plan, Text *text);
/* The same, with what each step comes from: "mount type=proc … # mounts[0]". */
void init_plan_explain(const InitPlan *plan, Text *text);
/* "chown,net_raw", or "none" */
void init_plan_print_capabilities(Text *text, uint64_t mask);

/* To bytes and back. decode() points into bytes, which must stay; it checks everything it reads (-EBADMSG): ops, which
 * operands a step has and needs, their sizes, slots, NULs. */
void init_plan_encode(const InitPlan *plan, Text *ret);
int init_plan_decode(const void *bytes, size_t size, InitPlan *ret);
