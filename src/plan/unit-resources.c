/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>

#include "plan/unit-internal.h"

/*
 * linux.resources, typed. Nothing is ignored but what the specification itself declares to have no effect;
 * what needs cgroup v1 is refused unless its value asks for nothing (0, false, the kernel's default).
 *
 * 0 means "not set" for memory, CPU shares, quota and period, and I/O weights: engines write it for absent
 * values. Signs and ranges of single values are as the oci layer let them pass; -1 is "no limit".
 */

#define PATH "linux.resources."
#define USEC_PER_SEC UINT64_C(1000000)
#define DEFAULT_CPU_PERIOD UINT64_C(100000)
#define CPUS_MAX 8192

static int refuse(const char *path, Error *reterr) {
        return error_setf(reterr, EOPNOTSUPP, PATH "%s: not available with cgroup v2", path);
}

static uint64_t to_unit(int64_t limit) {
        return limit < 0 ? UINT64_MAX : (uint64_t) limit;
}

/* memory.swap is memory and swap together; MemorySwapMax and memory.swap.max are swap alone. */
static int add_swap(UnitPlan *plan, int64_t limit, int64_t swap, Error *reterr) {
        if (swap == 0) {
                /* No limit for memory was meant for both, as it was with cgroup v1. */
                if (limit < 0)
                        unit_plan_add_u64(plan, "MemorySwapMax", UINT64_MAX);
                return 0;
        }
        if (swap > 0 && limit == 0)
                return error_setf(reterr, EINVAL,
                                  PATH "memory.swap: a limit of memory and swap needs " PATH "memory.limit");
        if (swap > 0 && swap < limit)
                return error_setf(reterr, EINVAL, PATH "memory.swap: less than memory.limit, which it includes");
        unit_plan_add_u64(plan, "MemorySwapMax",
                          swap < 0 || limit < 0 ? to_unit(swap) : (uint64_t) (swap - limit));
        return 0;
}

int unit_add_memory(UnitPlan *plan, const SpecResources *r, Error *reterr) {
        int64_t limit = r->memory.limit.set ? r->memory.limit.v : 0;
        int64_t swap = r->memory.swap.set ? r->memory.swap.v : 0;
        int64_t reservation = r->memory.reservation.set ? r->memory.reservation.v : 0;

        /* cgroup v2 has no swappiness of a cgroup; 60 is the kernel's default. */
        if (r->memory.swappiness.set && r->memory.swappiness.v != 60)
                return refuse("memory.swappiness", reterr);
        if (r->memory.disable_oom_killer.set && r->memory.disable_oom_killer.v)
                return refuse("memory.disableOOMKiller", reterr);
        /* Ignored: kernel and kernelTCP (deprecated by the specification, gone from the kernel),
         * useHierarchy (always so with cgroup v2), checkBeforeUpdate (nothing uses memory yet; `update`
         * looks before it asks for a plan). */
        if (limit != 0)
                unit_plan_add_u64(plan, "MemoryMax", to_unit(limit));
        if (reservation != 0)
                unit_plan_add_u64(plan, "MemoryLow", to_unit(reservation));
        return add_swap(plan, limit, swap, reterr);
}

/* Binary logarithm of x >= 1. libm would be loaded for this alone. */
static double log2_of(uint64_t x) {
        int e = 63 - __builtin_clzll(x);
        double m = (double) x / (double) (UINT64_C(1) << e), t = (m - 1) / (m + 1), power = t, sum = 0;

        for (int k = 1; k < 40; k += 2) {
                sum += power / k;
                power *= t * t;
        }
        return e + 2 * sum / 0.693147180559945309417;
}

/* 10 to the y, for y between 0 and 4. */
static double exp10_of(double y) {
        double z = y * 2.302585092994045684018 / 64, term = 1, sum = 1;

        for (int k = 1; k < 16; k++) {
                term *= z / k;
                sum += term;
        }
        for (int k = 0; k < 6; k++)
                sum *= sum;
        return sum;
}

/*
 * Shares (2 to 262144, 1024 by default) to weight (1 to 10000, 100 by default): the quadratic in log(shares)
 * through these three points, rounded up, which all runtimes use.
 */
static uint64_t weight_from_shares(uint64_t shares) {
        double l, weight;
        uint64_t whole;

        if (shares <= 2)
                return 1;
        if (shares >= 262144)
                return 10000;
        l = log2_of(shares);
        weight = exp10_of((l * l + 125 * l) / 612 - 7.0 / 34) - 1e-9;
        whole = (uint64_t) weight;
        return whole + (weight > (double) whole ? 1 : 0);
}

/*
 * quota µs (UINT64_MAX: none) in each period µs (0: the default period) become µs a second. systemd keeps
 * whole percents: rounded up, so that the value is the same after a daemon-reload and no container gets less
 * than it was promised.
 */
void unit_add_cpu_quota(UnitPlan *plan, uint64_t quota, uint64_t period) {
        unsigned __int128 usec = (unsigned __int128) quota * USEC_PER_SEC / (period ?: DEFAULT_CPU_PERIOD);

        usec = (usec + 9999) / 10000 * 10000;
        if (quota == UINT64_MAX || usec >= UINT64_MAX)
                usec = UINT64_MAX;
        unit_plan_add_u64(plan, "CPUQuotaPerSecUSec", (uint64_t) usec);
        if (period != 0)
                unit_plan_add_u64(plan, "CPUQuotaPeriodUSec", period);
}

static int parse_cpu_range(char *range, uint32_t *ret_first, uint32_t *ret_last) {
        char *dash = strchr(range, '-');
        int r;

        if (dash)
                *dash = '\0';
        r = parse_u32(range, ret_first);
        if (r < 0)
                return r;
        *ret_last = *ret_first;
        if (dash) {
                r = parse_u32(dash + 1, ret_last);
                if (r < 0)
                        return r;
        }
        return *ret_last < *ret_first || *ret_last >= CPUS_MAX ? -ERANGE : 0;
}

/* "0-3,7" as a mask, one bit a CPU or node, the first in the lowest bit of the first byte. */
int unit_add_cpuset(UnitPlan *plan, const char *name, const char *list, const char *path, Error *reterr) {
        uint8_t *mask = arena_calloc(&plan->arena, CPUS_MAX / 8, 1);
        char *copy = arena_strdup(&plan->arena, list), *save = NULL;
        size_t n = 0;
        UnitProp *p;

        for (char *c = strtok_r(copy, ", \t\n", &save); c; c = strtok_r(NULL, ", \t\n", &save)) {
                uint32_t first, last;

                if (parse_cpu_range(c, &first, &last) < 0)
                        return error_setf(reterr, EINVAL, "%s: \"%s\" is not a list of numbers like 0-3,7",
                                          path, list);
                for (uint32_t i = first; i <= last; i++)
                        mask[i / 8] |= (uint8_t) (1U << (i % 8));
                n = MAX(n, last / 8 + 1U);
        }
        if (n == 0)
                return error_setf(reterr, EINVAL, "%s: \"%s\" names nothing", path, list);
        p = unit_plan_add(plan, name, UNIT_BYTES);
        p->v.bytes.data = mask;
        p->v.bytes.n = n;
        return 0;
}

static int add_cpu_weight(UnitPlan *plan, const SpecResources *r, bool update, Error *reterr) {
        uint64_t shares = r->cpu.shares.set ? r->cpu.shares.v : 0;

        if (r->cpu.idle.set && r->cpu.idle.v == 1)
                /* So systemd says idle. The kernel has no use for a weight then: to give both is no error. */
                unit_plan_add_u64(plan, "CPUWeight", 0);
        else if (shares != 0)
                unit_plan_add_u64(plan, "CPUWeight", weight_from_shares(shares));
        else if (r->cpu.idle.set && update)
                return error_setf(reterr, EINVAL,
                                  PATH "cpu.idle: 0 needs cpu.shares, because systemd has one value for both");
        return 0;
}

int unit_add_cpu(UnitPlan *plan, const SpecResources *r, bool update, Error *reterr) {
        uint64_t period = r->cpu.period.set ? r->cpu.period.v : 0;
        int64_t quota = r->cpu.quota.set ? r->cpu.quota.v : 0;
        int k;

        if (r->cpu.realtime_runtime.set && r->cpu.realtime_runtime.v != 0)
                return refuse("cpu.realtimeRuntime", reterr);
        if (r->cpu.realtime_period.set && r->cpu.realtime_period.v != 0)
                return refuse("cpu.realtimePeriod", reterr);
        k = add_cpu_weight(plan, r, update, reterr);
        if (k < 0)
                return k;
        if (quota != 0)
                unit_add_cpu_quota(plan, to_unit(quota), period);
        else if (period != 0)
                unit_plan_add_u64(plan, "CPUQuotaPeriodUSec", period);
        if (!isempty(r->cpu.cpus)) {
                k = unit_add_cpuset(plan, "AllowedCPUs", r->cpu.cpus, PATH "cpu.cpus", reterr);
                if (k < 0)
                        return k;
        }
        if (!isempty(r->cpu.mems)) {
                k = unit_add_cpuset(plan, "AllowedMemoryNodes", r->cpu.mems, PATH "cpu.mems", reterr);
                if (k < 0)
                        return k;
        }
        if (r->cpu.burst.set)
                unit_plan_write(plan, "cpu.max.burst",
                                arena_printf(&plan->arena, "%" PRIu64, r->cpu.burst.v), PATH "cpu.burst");
        return 0;
}

void unit_add_pids(UnitPlan *plan, const SpecResources *r) {
        /* TasksMax=0 is no value for systemd; with 1 the container's init cannot fork either. */
        if (r->pids_limit.set)
                unit_plan_add_u64(plan, "TasksMax", r->pids_limit.v == 0 ? 1 : to_unit(r->pids_limit.v));
}

/*
 * blockIO.weight is what BFQ takes: 10 to 1000, 100 by default. systemd has one property for io.weight (1 to
 * 10000, 100 by default) and io.bfq.weight and maps the first to the second; this is the inverse, so that
 * BFQ gets the very number that was asked for and the default stays the default.
 */
uint64_t unit_weight_from_bfq(uint64_t weight) {
        return weight <= 100 ? weight : 100 + (weight - 100) * 11;
}

static const char *block_path(UnitPlan *plan, int64_t major, int64_t minor) {
        return arena_printf(&plan->arena, "/dev/block/%" PRIi64 ":%" PRIi64, major, minor);
}

static int add_weight_devices(UnitPlan *plan, const SpecResources *r, Error *reterr) {
        UnitProp *p = NULL;

        for (size_t i = 0; i < r->block_io.n_weight_devices; i++) {
                const SpecWeightDevice *d = r->block_io.weight_devices + i;

                if (d->leaf_weight.set && d->leaf_weight.v != 0)
                        return refuse("blockIO.weightDevice.leafWeight", reterr);
                if (!d->weight.set || d->weight.v == 0)
                        continue;
                if (!p)
                        p = unit_plan_add(plan, "IODeviceWeight", UNIT_WEIGHTS);
                unit_prop_add_weight(plan, p, block_path(plan, d->major, d->minor),
                                     unit_weight_from_bfq(d->weight.v));
        }
        return 0;
}

int unit_add_block_io(UnitPlan *plan, const SpecResources *r, Error *reterr) {
        static const char *const throttles[_THROTTLE_KINDS] = {
                [THROTTLE_READ_BPS] = "IOReadBandwidthMax", [THROTTLE_WRITE_BPS] = "IOWriteBandwidthMax",
                [THROTTLE_READ_IOPS] = "IOReadIOPSMax",     [THROTTLE_WRITE_IOPS] = "IOWriteIOPSMax",
        };
        int k;

        if (r->block_io.leaf_weight.set && r->block_io.leaf_weight.v != 0)
                return refuse("blockIO.leafWeight", reterr);
        if (r->block_io.weight.set && r->block_io.weight.v != 0)
                unit_plan_add_u64(plan, "IOWeight", unit_weight_from_bfq(r->block_io.weight.v));
        k = add_weight_devices(plan, r, reterr);
        if (k < 0)
                return k;
        for (size_t t = 0; t < _THROTTLE_KINDS; t++) {
                UnitProp *p = NULL;

                for (size_t i = 0; i < r->block_io.n_throttle[t]; i++) {
                        const SpecThrottle *d = r->block_io.throttle[t] + i;

                        if (!p)
                                p = unit_plan_add(plan, throttles[t], UNIT_WEIGHTS);
                        /* 0 lifts the limit, as it did with cgroup v1. */
                        unit_prop_add_weight(plan, p, block_path(plan, d->major, d->minor),
                                             d->rate ?: UINT64_MAX);
                }
        }
        return 0;
}

/* What no unit property expresses, and what no cgroup v2 has. */
int unit_add_others(UnitPlan *plan, const SpecResources *r, Error *reterr) {
        Arena *a = &plan->arena;

        for (size_t i = 0; i < r->n_hugepage_limits; i++) {
                const SpecHugepageLimit *h = r->hugepage_limits + i;
                const char *path = arena_printf(a, PATH "hugepageLimits[%zu]", i);
                const char *value = arena_printf(a, "%" PRIu64, h->limit);
                CgroupWrite *w;

                unit_plan_write(plan, arena_printf(a, "hugetlb.%s.max", h->page_size), value, path);
                /* Reservations, too, where the kernel counts them: else mmap() succeeds and the first touch
                 * kills. */
                w = unit_plan_write(plan, arena_printf(a, "hugetlb.%s.rsvd.max", h->page_size), value, path);
                w->optional = true;
        }
        for (size_t i = 0; i < r->n_rdma; i++) {
                const SpecRdma *d = r->rdma + i;
                _cleanup_text_ Text value = {};

                text_add(&value, d->name);
                if (d->hca_handles.set)
                        text_addf(&value, " hca_handle=%" PRIu32, d->hca_handles.v);
                if (d->hca_objects.set)
                        text_addf(&value, " hca_object=%" PRIu32, d->hca_objects.v);
                unit_plan_write(plan, "rdma.max", value.s, arena_printf(a, PATH "rdma[\"%s\"]", d->name));
        }
        return r->has_network ? refuse("network", reterr) : 0;
}
