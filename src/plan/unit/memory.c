/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>

#include "plan/unit/internal.h"

/*
 * linux.resources.memory. 0 means "not set", as engines write it for absent values; -1 is "no limit".
 *
 * Of what cgroup v2 has not got, that is let pass which is so anyway: swappiness if it is the host's, which holds for
 * all; useHierarchy; kernel and kernelTCP if they are no less than limit, which includes them. checkBeforeUpdate asks
 * for nothing as long as no process of the container uses memory.
 */

#define PATH "linux.resources.memory."
#define DEFAULT_SWAPPINESS 60

static int64_t value_of(OptI64 o) {
        return o.set ? o.v : 0;
}

static uint64_t to_unit(int64_t limit) {
        return limit < 0 ? UINT64_MAX : (uint64_t) limit;
}

/* The limit that will hold, or UINT64_MAX. */
static uint64_t limit_to_be(const Limits *l) {
        int64_t limit = value_of(l->r->memory.limit);

        if (limit == 0)
                return l->now->memory_max.set ? l->now->memory_max.v : UINT64_MAX;
        return to_unit(limit);
}

static int check_kernel(const Limits *l, const char *name, OptI64 limit) {
        if (value_of(limit) <= 0 || limit_to_be(l) <= (uint64_t) limit.v)
                return 0;
        return error_setf(l->reterr, EOPNOTSUPP,
                          PATH "%s: with cgroup v2 there is one limit for all memory, and it is not that low", name);
}

static int check_availability(const Limits *l) {
        uint64_t (*swappiness)(void) = l->facts->queries.swappiness;
        int r;

        if (l->r->memory.swappiness.set &&
            l->r->memory.swappiness.v != (swappiness ? swappiness() : DEFAULT_SWAPPINESS))
                return error_setf(l->reterr, EOPNOTSUPP, PATH "swappiness: with cgroup v2 that of the host holds for all");
        if (l->r->memory.disable_oom_killer.set && l->r->memory.disable_oom_killer.v)
                return error_setf(l->reterr, EOPNOTSUPP, PATH "disableOOMKiller: not available with cgroup v2");
        if (l->r->memory.use_hierarchy.set && !l->r->memory.use_hierarchy.v)
                return error_setf(l->reterr, EOPNOTSUPP, PATH "useHierarchy: cgroup v2 is always hierarchical");
        r = check_kernel(l, "kernel", l->r->memory.kernel);
        return r < 0 ? r : check_kernel(l, "kernelTCP", l->r->memory.kernel_tcp);
}

/* checkBeforeUpdate: a limit below what is used would kill. */
static int check_usage(const Limits *l, int64_t limit, int64_t swap) {
        uint64_t used = l->now->memory_current.v, both = used + l->now->swap_current.v;

        if (!l->r->memory.check_before_update.v)
                return 0;
        if (limit > 0 && (uint64_t) limit < used)
                return error_setf(l->reterr, EBUSY, PATH "limit: %" PRIi64 " bytes are less than the %" PRIu64 " in use",
                                  limit, used);
        if (swap > 0 && (uint64_t) swap < both)
                return error_setf(l->reterr, EBUSY, PATH "swap: %" PRIi64 " bytes are less than the %" PRIu64 " in use",
                                  swap, both);
        return 0;
}

/* memory.swap is memory and swap together; MemorySwapMax and memory.swap.max are swap alone. */
static int add_swap(const Limits *l, int64_t limit, int64_t swap) {
        uint64_t sum = to_unit(swap), max = limit_to_be(l);

        if (swap == 0 && limit >= 0)
                return 0;
        if (swap > 0 && limit == 0 && !l->now->memory_max.set)
                return error_setf(l->reterr, EINVAL, PATH "swap: a limit of memory and swap needs " PATH "limit");
        if (swap > 0 && max != UINT64_MAX) {
                if (sum < max)
                        return error_setf(l->reterr, EINVAL, PATH "swap: less than the limit of memory (%" PRIu64
                                          "), which it includes", max);
                sum -= max;
        }
        /* No limit for memory alone was meant for both, as it was with cgroup v1. */
        unit_plan_set_u64(l->plan, "MemorySwapMax", swap == 0 ? UINT64_MAX : sum, swap == 0 ? PATH "limit" : PATH "swap");
        return 0;
}

int unit_add_memory(const Limits *l) {
        int64_t limit = value_of(l->r->memory.limit), reservation = value_of(l->r->memory.reservation);
        int64_t swap = value_of(l->r->memory.swap);
        int r;

        r = check_availability(l);
        if (r < 0)
                return r;
        r = check_usage(l, limit, swap);
        if (r < 0)
                return r;
        if (limit != 0)
                unit_plan_set_u64(l->plan, "MemoryMax", to_unit(limit), PATH "limit");
        if (reservation != 0)
                unit_plan_set_u64(l->plan, "MemoryLow", to_unit(reservation), PATH "reservation");
        return add_swap(l, limit, swap);
}
