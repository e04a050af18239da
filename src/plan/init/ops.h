/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/init/plan.h"

/* The rows behind plan.h: what each op has. The printer and the decoder are loops over them. */

typedef enum InitNumKind {
        NUM_NONE,       /* the op has no such number */
        NUM_UNSIGNED,
        NUM_SIGNED,     /* also ids, where -1 is INIT_KEEP_ID */
        NUM_NOT_ZERO,   /* unsigned, not printed when 0 */
        NUM_SIZE,       /* unsigned, "infinity" for UINT64_MAX */
        NUM_OCTAL,
        NUM_BOOL,       /* 0 or 1; its name alone is printed when it is 1 */
        NUM_CHAR,
        NUM_SLOT,       /* a slot; must be one */
        NUM_SLOT_OR_NONE,
        NUM_RESOURCE,   /* RLIMIT_* */
        NUM_CAPS,       /* capability mask */
        /* Flags, not printed when 0: */
        NUM_NAMESPACES, /* CLONE_NEW* */
        NUM_ATTRS,      /* MOUNT_ATTR_* */
        NUM_SUPER,      /* MS_* of the superblock */
        NUM_PROPAGATION,
        NUM_EXTRA,
        NUM_SECCOMP,    /* SECCOMP_FILTER_FLAG_* */
        NUM_SET,        /* INIT_SET_* */
        NUM_HEX,
} InitNumKind;

typedef struct InitNumRow {
        const char *name;
        InitNumKind kind;
} InitNumRow;

typedef struct InitStrRow {
        const char *name;
        bool optional;
} InitStrRow;

typedef enum InitListKind { LIST_NONE, LIST_ANY, LIST_NOT_EMPTY } InitListKind;

typedef struct InitListRow {
        const char *name;
        InitListKind kind;
} InitListRow;

typedef struct InitOpRow {
        const char *name;
        InitNumRow num[INIT_NUMS];
        InitStrRow str[INIT_STRS];
        InitListRow list[INIT_LISTS];
        bool blob;
} InitOpRow;

/* NULL when there is no such op. */
const InitOpRow *init_op_row(uint64_t op);
