/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>

#include "plan/unit/internal.h"

/*
 * linux.resources.cpu, and the keys of linux.resources.unified that are about the same. 0 is "not set" for shares, quota
 * and period: engines write it for absent values; a quota of -1 is "no limit".
 */

#define PATH "linux.resources.cpu."
#define UNIFIED "linux.resources.unified"
#define USEC_PER_SEC UINT64_C(1000000)
#define DEFAULT_PERIOD UINT64_C(100000)
#define DEFAULT_WEIGHT 100

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

/* cpu.weight.nice, -20 to 19, as the kernel makes cpu.weight of it. */
static int weight_from_nice(const char *text, uint64_t *ret) {
        static const uint32_t weights[] = {
                88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916, 9548, 7620, 6100, 4904,
                3906,  3121,  2501,  1991,  1586,  1277,  1024,  820,   655,   526,   423,  335,  272,  215,
                172,   137,   110,   87,    70,    56,    45,    36,    29,    23,    18,   15,
        };
        int64_t nice;

        if (parse_i64(text, &nice) < 0 || nice < -20 || nice > 19)
                return -EINVAL;
        *ret = (weights[nice + 20] * UINT64_C(100) + 512) / 1024;
        return 0;
}

/* cpu.weight, cpu.weight.nice and shares, the first that is given. *ret_path: NULL if none is. */
static int find_weight(const Limits *l, uint64_t *ret, const char **ret_path) {
        const char *weight = unit_unified_value(l, "cpu.weight"), *nice = unit_unified_value(l, "cpu.weight.nice");

        *ret_path = NULL;
        if (nice && weight_from_nice(nice, ret) < 0)
                return error_setf(l->reterr, EINVAL, UNIFIED "[\"cpu.weight.nice\"]: expected a number from -20 to 19");
        if (weight && (parse_u64(weight, ret) < 0 || *ret < 1 || *ret > 10000))
                return error_setf(l->reterr, EINVAL, UNIFIED "[\"cpu.weight\"]: expected a number from 1 to 10000");
        if (weight || nice)
                *ret_path = weight ? UNIFIED "[\"cpu.weight\"]" : UNIFIED "[\"cpu.weight.nice\"]";
        else if (l->r->cpu.shares.set && l->r->cpu.shares.v != 0) {
                *ret = weight_from_shares(l->r->cpu.shares.v);
                *ret_path = PATH "shares";
        }
        return 0;
}

/* systemd has one value for weight and idle, and says 0 for idle. The kernel has no use for the weight of an idle group:
 * both are no error when a container is made, as engines write a weight into each configuration; in an update who gives a
 * weight wants it to count. */
int unit_add_cpu_weight(const Limits *l) {
        const char *text = unit_unified_value(l, "cpu.idle"), *path;
        const char *idle_path = text ? UNIFIED "[\"cpu.idle\"]" : PATH "idle";
        bool given = text || l->r->cpu.idle.set, idle = text ? streq(text, "1") : l->r->cpu.idle.v == 1;
        uint64_t weight = DEFAULT_WEIGHT;
        int r;

        if (text && !idle && !streq(text, "0"))
                return error_setf(l->reterr, EINVAL, "%s: expected 0 or 1", idle_path);
        r = find_weight(l, &weight, &path);
        if (r < 0)
                return r;
        if (path && idle && l->update)
                return error_setf(l->reterr, EINVAL, "%s: a container that is to be idle has no weight", path);
        if (idle)
                unit_plan_set_u64(l->plan, "CPUWeight", 0, idle_path);
        else if (path || (given && l->now->cpu_idle))
                unit_plan_set_u64(l->plan, "CPUWeight", weight, path ?: idle_path);
        return 0;
}

/*
 * quota µs (UINT64_MAX: none) in each period µs (0: the one in force) become µs a second. systemd 252 keeps
 * whole percents: rounded up, so that the value is the same after a daemon-reload and no container gets less
 * than it was promised. A quota that changes never goes without the period that it was computed with: what the unit has
 * for one may be neither what the cgroup has nor the default.
 */
void unit_add_cpu_quota(const Limits *l, uint64_t quota, uint64_t period, const char *path) {
        const OptU64 *in_force = &l->now->cpu_period;
        unsigned __int128 usec = UINT64_MAX;

        if (period == 0 && quota != UINT64_MAX && in_force->set)
                period = in_force->v;
        if (quota != UINT64_MAX)
                usec = (unsigned __int128) quota * USEC_PER_SEC / (period ?: DEFAULT_PERIOD);
        usec = MIN((usec + 9999) / 10000 * 10000, (unsigned __int128) UINT64_MAX);
        unit_plan_set_u64(l->plan, "CPUQuotaPerSecUSec", (uint64_t) usec, path);
        if (period != 0)
                unit_plan_set_u64(l->plan, "CPUQuotaPeriodUSec", period, path);
}

/* A quota is a share of a period: who gives one of them keeps the other. */
static void add_bandwidth(const Limits *l) {
        uint64_t period = l->r->cpu.period.set ? l->r->cpu.period.v : 0;
        int64_t quota = l->r->cpu.quota.set ? l->r->cpu.quota.v : 0;

        if (quota != 0)
                unit_add_cpu_quota(l, quota < 0 ? UINT64_MAX : (uint64_t) quota, period, PATH "quota");
        else if (period != 0 && l->now->cpu_quota.set && l->now->cpu_quota.v != UINT64_MAX)
                unit_add_cpu_quota(l, l->now->cpu_quota.v, period, PATH "period");
        else if (period != 0)
                unit_plan_set_u64(l->plan, "CPUQuotaPeriodUSec", period, PATH "period");
}

static const CgroupWrite *find_burst(const UnitPlan *plan) {
        for (size_t i = plan->n_writes; i > 0; i--)
                if (streq(plan->writes[i - 1].file, "cpu.max.burst"))
                        return plan->writes + i - 1;
        return NULL;
}

int unit_check_cpu_burst(const Limits *l) {
        const UnitProp *share = unit_plan_find(l->plan, "CPUQuotaPerSecUSec");
        const UnitProp *length = unit_plan_find(l->plan, "CPUQuotaPeriodUSec");
        const CgroupWrite *write = find_burst(l->plan);
        uint64_t burst = l->now->cpu_burst.v, quota = l->now->cpu_quota.set ? l->now->cpu_quota.v : UINT64_MAX;
        uint64_t period = l->now->cpu_period.set ? l->now->cpu_period.v : DEFAULT_PERIOD;

        if (write && parse_u64(write->value, &burst) < 0)
                return error_setf(l->reterr, EINVAL, "%s: expected a number", write->path);
        if (length)
                period = length->v.u64;
        if (share)
                quota = share->v.u64 == UINT64_MAX ? UINT64_MAX
                        : (uint64_t) ((unsigned __int128) share->v.u64 * period / USEC_PER_SEC);
        if ((!write && !share) || burst <= quota)
                return 0;
        return error_setf(l->reterr, EINVAL, write ? "%s: a burst of %" PRIu64 " µs is more than the quota of %" PRIu64
                          : "%s: the burst in force, %" PRIu64 " µs, is more than a quota of %" PRIu64,
                          write ? write->path : share->path, burst, quota);
}

/* systemd passes the list on and does not tell when the kernel refuses it. */
static int check_possible(const Limits *l, bool nodes, const uint8_t *mask, int n, const char *path) {
        _cleanup_free_ char *list = l->facts->queries.possible ? l->facts->queries.possible(nodes) : NULL;
        uint8_t possible[CPUS_MAX / 8] = {};

        if (!list || parse_bits(list, possible, sizeof(possible)) < 0)
                return 0;
        list[strcspn(list, "\n")] = '\0';
        for (int i = 0; i < n; i++)
                if (mask[i] & ~possible[i])
                        return error_setf(l->reterr, EINVAL, "%s: there is no %s %d (there are %s)", path,
                                          nodes ? "memory node" : "CPU",
                                          8 * i + __builtin_ctz(mask[i] & ~possible[i]), list);
        return 0;
}

int unit_add_cpuset(const Limits *l, bool nodes, const char *list, const char *path) {
        uint8_t *mask = arena_calloc(&l->plan->arena, CPUS_MAX / 8, 1);
        int n = parse_bits(list, mask, CPUS_MAX / 8), r;
        UnitProp *p;

        if (n < 0)
                return error_setf(l->reterr, EINVAL, "%s: \"%s\" is not a list of numbers like 0-3,7", path, list);
        if (n == 0)
                return error_setf(l->reterr, EINVAL, "%s: \"%s\" names nothing", path, list);
        r = check_possible(l, nodes, mask, n, path);
        if (r < 0)
                return r;
        p = unit_plan_set(l->plan, nodes ? "AllowedMemoryNodes" : "AllowedCPUs", UNIT_BYTES, path);
        p->v.bytes.data = mask;
        p->v.bytes.n = (size_t) n;
        return 0;
}

static int refuse(const Limits *l, const char *name) {
        return error_setf(l->reterr, EOPNOTSUPP, PATH "%s: not available with cgroup v2", name);
}

int unit_add_cpu(const Limits *l) {
        const SpecResources *r = l->r;
        int k;

        if (r->cpu.realtime_runtime.set && r->cpu.realtime_runtime.v != 0)
                return refuse(l, "realtimeRuntime");
        if (r->cpu.realtime_period.set && r->cpu.realtime_period.v != 0)
                return refuse(l, "realtimePeriod");
        k = unit_add_cpu_weight(l);
        if (k < 0)
                return k;
        add_bandwidth(l);
        if (!isempty(r->cpu.cpus)) {
                k = unit_add_cpuset(l, false, r->cpu.cpus, PATH "cpus");
                if (k < 0)
                        return k;
        }
        if (!isempty(r->cpu.mems)) {
                k = unit_add_cpuset(l, true, r->cpu.mems, PATH "mems");
                if (k < 0)
                        return k;
        }
        if (r->cpu.burst.set)
                unit_plan_write(l->plan, "cpu.max.burst",
                                arena_printf(&l->plan->arena, "%" PRIu64, r->cpu.burst.v), PATH "burst");
        return 0;
}
