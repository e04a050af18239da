/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/alloc.h"
#include "host/manager.h"
#include "host/unit-ref.h"

/* A unit as systemd sees it, for who looks at it. */

/* Limits of its, by systemd's own names, in an order to be read. What is not set, or is unknown to this systemd, is not there
 * (text NULL); else it is a number, which is there as such besides, "infinity" or, of CPUs, a list. */
typedef struct UnitLimit {
        const char *name;
        const char *text;
        bool is_number;
        uint64_t number;
} UnitLimit;

typedef struct UnitView {
        bool is_there;          /* else systemd has none such, or none any more */
        const char *active, *sub; /* ActiveState, SubState */
        const char *result;     /* Result */
        bool counts_restarts;   /* a service */
        uint32_t restarts;      /* NRestarts */
        UnitLimit *limits;
        size_t n_limits;
} UnitView;

/* Strings in a. -EREMOTEIO and its like: systemd does not answer. */
int unit_view_read(Manager *m, UnitRef unit, Arena *a, UnitView *ret, Error *reterr);
