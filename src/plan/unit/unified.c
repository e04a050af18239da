/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>

#include "plan/unit/internal.h"

/*
 * linux.resources.unified: files of cgroup v2 by name. What systemd has a property for becomes that
 * property, because systemd would overwrite a file of its own at the next daemon-reload; the rest is written
 * once the scope runs. Who names the file means it: unified replaces what a typed value says. The kubelet relies on it,
 * which gives memory.swap equal to memory.limit, and then "memory.swap.max".
 */

typedef struct Unified {
        const Limits *l;
        const char *key;
        char *value;        /* trimmed, not empty; may be cut up */
        const char *path;   /* JSON path */
} Unified;

static int bad_value(const Unified *u, const char *wanted) {
        return error_setf(u->l->reterr, EINVAL, "%s: expected %s", u->path, wanted);
}

/* "max" or a number. */
static int parse_max(const char *s, uint64_t *ret) {
        if (streq(s, "max")) {
                *ret = UINT64_MAX;
                return 0;
        }
        return parse_u64(s, ret);
}

static int add_limit(const Unified *u, const Property *p) {
        uint64_t v;

        if (parse_max(u->value, &v) < 0)
                return bad_value(u, "a number or \"max\"");
        unit_plan_set_u64(u->l->plan, p->name, MAX(v, p->least), u->path);
        return 0;
}

/* A property that systemd 252 has not got; there the file is written after all. */
static int add_zswap_max(const Unified *u) {
        int r;

        r = add_limit(u, unit_property("MemoryZSwapMax"));
        if (r < 0)
                return r;
        unit_plan_find(u->l->plan, "MemoryZSwapMax")->optional = true;
        unit_plan_write(u->l->plan, u->key, u->value, u->path)->instead_of = "MemoryZSwapMax";
        return 0;
}

static int parse_bool(const Unified *u, bool *ret) {
        *ret = streq(u->value, "1");
        return *ret || streq(u->value, "0") ? 0 : bad_value(u, "0 or 1");
}

static int add_zswap_writeback(const Unified *u) {
        UnitProp *p;
        bool value;

        if (parse_bool(u, &value) < 0)
                return -EINVAL;
        p = unit_plan_set(u->l->plan, "MemoryZSwapWriteback", UNIT_BOOL, u->path);
        p->v.b = value;
        p->optional = true;
        unit_plan_write(u->l->plan, u->key, u->value, u->path)->instead_of = "MemoryZSwapWriteback";
        return 0;
}

/* systemd writes the file with every other limit of memory, but takes the property only for a new unit. That of a scope
 * came late in the life of version 252; before it nothing is better than the file. */
static int add_oom_group(const Unified *u) {
        UnitProp *p;
        bool value;

        if (parse_bool(u, &value) < 0)
                return -EINVAL;
        if (u->l->update && u->l->plan->home == HOME_SCOPE)
                return u->l->now->oom_group.set && u->l->now->oom_group.v == value ? 0
                        : error_setf(u->l->reterr, EOPNOTSUPP,
                                     "%s: systemd sets it when the container is made, and not later", u->path);
        p = unit_plan_set(u->l->plan, "OOMPolicy", UNIT_STRING, u->path);
        p->v.s = value ? "kill" : "continue";
        p->optional = true;
        unit_plan_write(u->l->plan, u->key, u->value, u->path)->instead_of = "OOMPolicy";
        return 0;
}

/* "quota [period]" in µs. */
static int add_cpu_max(const Unified *u) {
        char *save = NULL, *quota = strtok_r(u->value, " \t", &save), *period = strtok_r(NULL, " \t", &save);
        uint64_t q, p = 0;

        if (strtok_r(NULL, " \t", &save) || parse_max(quota, &q) < 0 || q < 1000 ||
            (period && (parse_u64(period, &p) < 0 || p < 1000 || p > 1000000)))
                return bad_value(u, "\"QUOTA [PERIOD]\" in µs, 1000 at least, or \"max\"; periods are up to 1000000");
        unit_add_cpu_quota(u->l, q, p, u->path);
        return 0;
}

static int add_cpus(const Unified *u) {
        return unit_add_cpuset(u->l, false, u->value, u->path);
}

static int add_mems(const Unified *u) {
        return unit_add_cpuset(u->l, true, u->value, u->path);
}

/* unit_add_cpu() has looked at it. */
static int skip(const Unified *u) {
        return 0;
}

static bool parse_device(const char *s, uint32_t *ret_major, uint32_t *ret_minor) {
        _cleanup_free_ char *major = xstrdup(s);
        char *colon = strchr(major, ':');

        if (!colon)
                return false;
        *colon = '\0';
        return parse_u32(major, ret_major) == 0 && parse_u32(colon + 1, ret_minor) == 0 && *ret_major <= 4095 &&
               *ret_minor <= 1048575;
}

/* One line of io.weight or io.bfq.weight: "100", "default 100" or "8:16 100". */
static int add_io_weight_line(const Unified *u, char *line, bool bfq) {
        char *save = NULL, *first = strtok_r(line, " \t", &save), *second = strtok_r(NULL, " \t", &save);
        bool device = second && !streq(first, "default");
        uint32_t major, minor;
        uint64_t v;

        if (device && !parse_device(first, &major, &minor))
                return bad_value(u, "lines like \"default 100\" or \"8:16 100\"");
        if (strtok_r(NULL, " \t", &save) || parse_u64(second ?: first, &v) < 0 || v < 1 ||
            v > (bfq ? 1000 : 10000))
                return bad_value(u, bfq ? "weights from 1 to 1000" : "weights from 1 to 10000");
        if (bfq)
                v = unit_weight_from_bfq(v);
        if (device)
                return unit_add_block_value(u->l, "IODeviceWeight", major, minor, v, u->path);
        unit_plan_set_u64(u->l->plan, "IOWeight", v, u->path);
        return 0;
}

/* One line of io.max or io.latency: "8:16 rbps=1048576 wiops=max", "8:16 target=75000". */
static int add_io_limit_line(const Unified *u, char *line) {
        char *save = NULL;
        uint32_t major, minor;
        int r = 0;

        if (!parse_device(strtok_r(line, " \t", &save), &major, &minor))
                return bad_value(u, "lines that begin with a device like \"8:16\"");
        for (char *word = strtok_r(NULL, " \t", &save); word && r == 0; word = strtok_r(NULL, " \t", &save)) {
                const Property *p = unit_properties;
                uint64_t v;

                while (p->name && !(p->key && streq(p->file, u->key) && startswith(word, p->key)))
                        p++;
                if (!p->name || parse_max(word + strlen(p->key), &v) < 0 || v == 0)
                        return error_setf(u->l->reterr, EINVAL, "%s: \"%s\" is no limit for %s", u->path, word, u->key);
                r = unit_add_block_value(u->l, p->name, major, minor, v, u->path);
        }
        return r;
}

static int add_io(const Unified *u) {
        bool bfq = streq(u->key, "io.bfq.weight"), weight = bfq || streq(u->key, "io.weight");
        char *save = NULL;
        int r;

        if (bfq && unit_unified_value(u->l, "io.weight"))
                return error_setf(u->l->reterr, EINVAL,
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

/* Refuses files that do something instead of saying something, or last as long as they are open. */
static int check_key(const Unified *u) {
        static const char *const settings[] = { "cgroup.max.depth", "cgroup.max.descendants",
                                                "cgroup.pressure" };
        bool is_setting = !startswith(u->key, "cgroup.") && !endswith(u->key, ".pressure");
        const char *dot = strchr(u->key, '.');

        if (!dot || dot == u->key || strstr(u->key, "..") ||
            strspn(u->key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != strlen(u->key))
                return error_setf(u->l->reterr, EINVAL,
                                  "%s: not the name of a cgroup file (CONTROLLER.PARAMETER)", u->path);
        for (size_t i = 0; i < ELEMENTSOF(settings); i++)
                is_setting = is_setting || streq(u->key, settings[i]);
        return is_setting ? 0 : error_setf(u->l->reterr, EOPNOTSUPP, "%s: not a setting of a container", u->path);
}

static int add_one(const Unified *u) {
        static const struct {
                const char *key;
                int (*add)(const Unified *u);
        } others[] = {
                { "cpu.idle", skip },                   { "cpu.max", add_cpu_max },
                { "cpu.weight", skip },                 { "cpu.weight.nice", skip },
                { "cpuset.cpus", add_cpus },            { "cpuset.mems", add_mems },
                { "io.bfq.weight", add_io },            { "io.latency", add_io },
                { "io.max", add_io },                   { "io.weight", add_io },
                { "memory.oom.group", add_oom_group },  { "memory.zswap.max", add_zswap_max },
                { "memory.zswap.writeback", add_zswap_writeback },
        };
        char *save = NULL;

        for (size_t i = 0; i < ELEMENTSOF(others); i++)
                if (streq(u->key, others[i].key))
                        return others[i].add(u);
        for (const Property *p = unit_properties; p->name; p++)
                if (p->type == UNIT_U64 && streq_null(p->file, u->key))
                        return add_limit(u, p);
        for (char *line = strtok_r(u->value, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
                unit_plan_write(u->l->plan, u->key, line, u->path);
        return 0;
}

int unit_add_unified(const Limits *l) {
        for (size_t i = 0; i < l->r->n_unified; i++) {
                _cleanup_free_ char *copy = xstrdup(l->r->unified[i].value);
                Unified u = {
                        .l = l,
                        .key = l->r->unified[i].key,
                        .value = strip(copy),
                        .path = arena_printf(&l->plan->arena, "linux.resources.unified[\"%s\"]",
                                             l->r->unified[i].key),
                };
                int r;

                r = check_key(&u);
                if (r < 0)
                        return r;
                if (isempty(u.value))
                        return bad_value(&u, "a value, got an empty string");
                r = add_one(&u);
                if (r < 0)
                        return r;
        }
        return 0;
}
