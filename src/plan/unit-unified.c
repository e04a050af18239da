/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>

#include "plan/unit-internal.h"

/*
 * linux.resources.unified: files of cgroup v2 by name. What systemd has a property for becomes that
 * property, because systemd would overwrite a file of its own at the next daemon-reload; the rest is written
 * once the scope runs.
 */

typedef struct Unified {
        UnitPlan *plan;
        const SpecResources *r;
        bool update;
        const char *key;
        char *value;        /* trimmed, not empty; may be cut up */
        const char *path;   /* JSON path */
        Error *reterr;
} Unified;

static int bad_value(const Unified *u, const char *wanted) {
        return error_setf(u->reterr, EINVAL, "%s: expected %s", u->path, wanted);
}

/* "max" or a number. */
static int parse_max(const char *s, uint64_t *ret) {
        if (streq(s, "max")) {
                *ret = UINT64_MAX;
                return 0;
        }
        return parse_u64(s, ret);
}

static const char *unified_value(const SpecResources *r, const char *key) {
        for (size_t i = 0; i < r->n_unified; i++)
                if (streq(r->unified[i].key, key))
                        return r->unified[i].value;
        return NULL;
}

static int add_limit(Unified *u, const char *property, uint64_t minimum) {
        uint64_t v;

        if (unit_plan_find(u->plan, property))
                return 0;
        if (parse_max(u->value, &v) < 0)
                return bad_value(u, "a number or \"max\"");
        /* systemd takes no 0 where the kernel would: 1 byte or 1 task comes to the same. */
        unit_plan_add_u64(u->plan, property, MAX(v, minimum));
        return 0;
}

/* A property that systemd 252 has not got; there the file is written after all. */
static int add_zswap_max(Unified *u) {
        const char *value = arena_strdup(&u->plan->arena, u->value);
        int r;

        r = add_limit(u, "MemoryZSwapMax", 0);
        if (r < 0)
                return r;
        unit_plan_find(u->plan, "MemoryZSwapMax")->optional = true;
        unit_plan_write(u->plan, u->key, value, u->path)->instead_of = "MemoryZSwapMax";
        return 0;
}

static int add_zswap_writeback(Unified *u) {
        if (!streq(u->value, "0") && !streq(u->value, "1"))
                return bad_value(u, "0 or 1");
        unit_plan_add_bool(u->plan, "MemoryZSwapWriteback", u->value[0] == '1')->optional = true;
        unit_plan_write(u->plan, u->key, u->value, u->path)->instead_of = "MemoryZSwapWriteback";
        return 0;
}

/* systemd sets it when the unit starts and never again; scopes have the property since 253. */
static int add_oom_group(Unified *u) {
        UnitProp *p;

        if (!streq(u->value, "0") && !streq(u->value, "1"))
                return bad_value(u, "0 or 1");
        if (u->update) {
                unit_plan_write(u->plan, u->key, u->value, u->path);
                return 0;
        }
        p = unit_plan_add_string(u->plan, "OOMPolicy", u->value[0] == '1' ? "kill" : "continue");
        p->optional = true;
        unit_plan_write(u->plan, u->key, u->value, u->path)->instead_of = "OOMPolicy";
        return 0;
}

/* The kernel has no use for the weight of an idle group, so idle wins over shares and weight. */
static int add_cpu_idle(Unified *u) {
        UnitProp *weight = unit_plan_find(u->plan, "CPUWeight");

        if (!streq(u->value, "0") && !streq(u->value, "1"))
                return bad_value(u, "0 or 1");
        if (u->r->cpu.idle.set)
                return 0;
        if (u->value[0] == '0') {
                if (u->update && !weight && !unified_value(u->r, "cpu.weight"))
                        return error_setf(u->reterr, EINVAL,
                                          "%s: 0 needs cpu.weight, because systemd has one value for both",
                                          u->path);
                return 0;
        }
        if (weight)
                weight->v.u64 = 0;
        else
                unit_plan_add_u64(u->plan, "CPUWeight", 0);
        return 0;
}

static int add_cpu_weight(Unified *u) {
        uint64_t v;

        if (unit_plan_find(u->plan, "CPUWeight"))
                return 0;
        if (parse_u64(u->value, &v) < 0 || v < 1 || v > 10000)
                return bad_value(u, "a number from 1 to 10000");
        unit_plan_add_u64(u->plan, "CPUWeight", v);
        return 0;
}

/* "quota [period]" in µs. */
static int add_cpu_max(Unified *u) {
        char *save = NULL, *quota = strtok_r(u->value, " \t", &save), *period = strtok_r(NULL, " \t", &save);
        uint64_t q, p = 0;

        if (unit_plan_find(u->plan, "CPUQuotaPerSecUSec") || unit_plan_find(u->plan, "CPUQuotaPeriodUSec"))
                return 0;
        if (strtok_r(NULL, " \t", &save) || parse_max(quota, &q) < 0 || q == 0 ||
            (period && (parse_u64(period, &p) < 0 || p < 1000 || p > 1000000)))
                return bad_value(u, "\"QUOTA [PERIOD]\" in µs, or \"max\"; periods are 1000 to 1000000");
        unit_add_cpu_quota(u->plan, q, p);
        return 0;
}

static int add_cpuset(Unified *u, const char *property) {
        if (unit_plan_find(u->plan, property))
                return 0;
        return unit_add_cpuset(u->plan, property, u->value, u->path, u->reterr);
}

/* "8:16" to "/dev/block/8:16", or NULL. */
static const char *parse_device(UnitPlan *plan, const char *s) {
        _cleanup_free_ char *major = xstrdup(s);
        char *colon = strchr(major, ':');
        uint32_t a, b;

        if (!colon)
                return NULL;
        *colon = '\0';
        if (parse_u32(major, &a) < 0 || parse_u32(colon + 1, &b) < 0 || a > 4095 || b > 1048575)
                return NULL;
        return arena_printf(&plan->arena, "/dev/block/%" PRIu32 ":%" PRIu32, a, b);
}

/* Unless something typed has said so about this device already. */
static void add_device_value(UnitPlan *plan, const char *property, const char *device, uint64_t value) {
        UnitProp *p = unit_plan_find(plan, property) ?: unit_plan_add(plan, property, UNIT_WEIGHTS);

        for (size_t i = 0; i < p->v.weights.n; i++)
                if (streq(p->v.weights.items[i].path, device))
                        return;
        unit_prop_add_weight(plan, p, device, value);
}

/* One line of io.weight or io.bfq.weight: "100", "default 100" or "8:16 100". */
static int add_io_weight_line(Unified *u, char *line, bool bfq) {
        char *save = NULL, *first = strtok_r(line, " \t", &save), *second = strtok_r(NULL, " \t", &save);
        const char *device = NULL;
        uint64_t v;

        if (second && !streq(first, "default")) {
                device = parse_device(u->plan, first);
                if (!device)
                        return bad_value(u, "lines like \"default 100\" or \"8:16 100\"");
        }
        if (strtok_r(NULL, " \t", &save) || parse_u64(second ?: first, &v) < 0 || v < 1 ||
            v > (bfq ? 1000 : 10000))
                return bad_value(u, bfq ? "weights from 1 to 1000" : "weights from 1 to 10000");
        if (bfq)
                v = unit_weight_from_bfq(v);
        if (device)
                add_device_value(u->plan, "IODeviceWeight", device, v);
        else if (!unit_plan_find(u->plan, "IOWeight"))
                unit_plan_add_u64(u->plan, "IOWeight", v);
        return 0;
}

/* One line of io.max or io.latency: "8:16 rbps=1048576 wiops=max", "8:16 target=75000". */
static int add_io_limit_line(Unified *u, char *line) {
        static const struct {
                const char *key, *name, *property;
        } limits[] = {
                { "io.max", "rbps=", "IOReadBandwidthMax" },    { "io.max", "wbps=", "IOWriteBandwidthMax" },
                { "io.max", "riops=", "IOReadIOPSMax" },        { "io.max", "wiops=", "IOWriteIOPSMax" },
                { "io.latency", "target=", "IODeviceLatencyTargetUSec" },
        };
        char *save = NULL;
        const char *device = parse_device(u->plan, strtok_r(line, " \t", &save));

        if (!device)
                return bad_value(u, "lines that begin with a device like \"8:16\"");
        for (char *word = strtok_r(NULL, " \t", &save); word; word = strtok_r(NULL, " \t", &save)) {
                const char *value = NULL, *property = NULL;
                uint64_t v;

                for (size_t i = 0; i < ELEMENTSOF(limits) && !value; i++)
                        if (streq(limits[i].key, u->key)) {
                                value = startswith(word, limits[i].name);
                                property = limits[i].property;
                        }
                if (!value || parse_max(value, &v) < 0 || v == 0)
                        return error_setf(u->reterr, EINVAL, "%s: \"%s\" is no limit for %s", u->path, word,
                                          u->key);
                add_device_value(u->plan, property, device, v);
        }
        return 0;
}

static int add_io(Unified *u) {
        bool bfq = streq(u->key, "io.bfq.weight"), weight = bfq || streq(u->key, "io.weight");
        char *save = NULL;
        int r;

        if (bfq && unified_value(u->r, "io.weight"))
                return error_setf(u->reterr, EINVAL,
                                  "%s: systemd derives it from io.weight, which is given too", u->path);
        for (char *line = strtok_r(u->value, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                if (line[strspn(line, " \t")] == '\0')
                        continue;
                r = weight ? add_io_weight_line(u, line, bfq) : add_io_limit_line(u, line);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Refuses files that do something instead of saying something, and what systemd owns without a property. */
static int check_key(const Unified *u) {
        static const char *const settings[] = { "cgroup.max.depth", "cgroup.max.descendants",
                                                "cgroup.pressure" };
        const char *dot = strchr(u->key, '.');
        bool is_setting = !startswith(u->key, "cgroup.");

        if (!dot || dot == u->key || strstr(u->key, "..") ||
            strspn(u->key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != strlen(u->key))
                return error_setf(u->reterr, EINVAL,
                                  "%s: not the name of a cgroup file (CONTROLLER.PARAMETER)", u->path);
        for (size_t i = 0; i < ELEMENTSOF(settings); i++)
                is_setting = is_setting || streq(u->key, settings[i]);
        if (!is_setting)
                return error_setf(u->reterr, EOPNOTSUPP, "%s: not a setting of a container", u->path);
        if (streq(u->key, "cpu.weight.nice"))
                return error_setf(u->reterr, EOPNOTSUPP,
                                  "%s: systemd sets cpu.weight, which is the same: use that", u->path);
        return 0;
}

static int add_one(Unified *u) {
        static const struct {
                const char *key, *property;
                uint64_t minimum;
        } limits[] = {
                { "memory.min", "MemoryMin", 0 },       { "memory.low", "MemoryLow", 0 },
                { "memory.high", "MemoryHigh", 1 },     { "memory.max", "MemoryMax", 1 },
                { "memory.swap.max", "MemorySwapMax", 0 }, { "pids.max", "TasksMax", 1 },
        };
        static const struct {
                const char *key;
                int (*add)(Unified *u);
        } others[] = {
                { "cpu.idle", add_cpu_idle },           { "cpu.max", add_cpu_max },
                { "cpu.weight", add_cpu_weight },       { "io.bfq.weight", add_io },
                { "io.latency", add_io },               { "io.max", add_io },
                { "io.weight", add_io },                { "memory.oom.group", add_oom_group },
                { "memory.zswap.max", add_zswap_max },  { "memory.zswap.writeback", add_zswap_writeback },
        };
        char *save = NULL;

        for (size_t i = 0; i < ELEMENTSOF(limits); i++)
                if (streq(u->key, limits[i].key))
                        return add_limit(u, limits[i].property, limits[i].minimum);
        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                if (streq(u->key, others[i].key))
                        return others[i].add(u);
        if (streq(u->key, "cpuset.cpus"))
                return add_cpuset(u, "AllowedCPUs");
        if (streq(u->key, "cpuset.mems"))
                return add_cpuset(u, "AllowedMemoryNodes");
        for (char *line = strtok_r(u->value, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
                unit_plan_write(u->plan, u->key, line, u->path);
        return 0;
}

static char *trim(char *s) {
        size_t n;

        s += strspn(s, " \t\n");
        n = strlen(s);
        while (n > 0 && strchr(" \t\n", s[n - 1]))
                n--;
        s[n] = '\0';
        return s;
}

int unit_add_unified(UnitPlan *plan, const SpecResources *r, bool update, Error *reterr) {
        for (size_t i = 0; i < r->n_unified; i++) {
                _cleanup_free_ char *copy = xstrdup(r->unified[i].value);
                Unified u = {
                        .plan = plan,
                        .r = r,
                        .update = update,
                        .key = r->unified[i].key,
                        .value = trim(copy),
                        .path = arena_printf(&plan->arena, "linux.resources.unified[\"%s\"]",
                                             r->unified[i].key),
                        .reterr = reterr,
                };
                int k;

                k = check_key(&u);
                if (k < 0)
                        return k;
                if (isempty(u.value))
                        return bad_value(&u, "a value, got an empty string");
                k = add_one(&u);
                if (k < 0)
                        return k;
        }
        return 0;
}
