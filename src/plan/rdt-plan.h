/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

#include "basic/str.h"
#include "oci/spec.h"

/*
 * linux.intelRdt as what is to be done in a resctrl file system: a group (a directory below its root), what its
 * schemata say, and who is counted by itself. Pure; the strings are the spec's and the container id.
 */
typedef struct RdtLine {
        const char *path;       /* in config.json */
        const char *text;       /* without a newline */
        bool must_match;        /* a group that exists has to say so already */
} RdtLine;

#define RDT_ROOT "."

typedef struct RdtPlan {
        const char *group;      /* or RDT_ROOT, the default group; NULL: there is no linux.intelRdt */
        bool own;               /* made for this container, and removed with it */
        bool must_exist;        /* nothing says what it would be */
        const RdtLine *lines;   /* in the order in which they are written */
        size_t n_lines;
        const char *monitor;    /* a group of this name in its mon_groups, or NULL */
} RdtPlan;

void rdt_plan_build(Spec *spec, const char *id, RdtPlan *ret);

/* What `update` writes into a group that is there. */
void rdt_plan_build_update(const SpecIntelRdt *rdt, const char *group, Arena *a, RdtPlan *ret);

/* One line a thing, for people and goldens. */
void rdt_plan_print(const RdtPlan *plan, Text *text);
