/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>

#include "plan/unit/internal.h"

/* Limits as cgroup files: where those of a unit can be seen, and what is written for who has no unit, or has one that is
 * frozen. */

#define USEC_PER_SEC UINT64_C(1000000)
#define DEFAULT_PERIOD UINT64_C(100000)
#define DEVICE_DIRECTORY "/dev/block/"

static bool is_idle(const UnitProp *prop) {
        return streq(prop->name, "CPUWeight") && prop->v.u64 == 0;
}

const char *unit_prop_file(const UnitProp *prop) {
        const Property *p = unit_property(prop->name);

        if (!p || (prop->type == UNIT_U64 && prop->v.u64 == p->none))
                return NULL;
        return is_idle(prop) ? "cpu.idle" : p->file;
}

void unit_prop_print_mask(const UnitProp *prop, Text *text) {
        const uint8_t *mask = prop->v.bytes.data;
        size_t n = 8 * prop->v.bytes.n;

        for (size_t i = 0; i < n; i++) {
                size_t last = i;

                if (!has_bit(mask, i))
                        continue;
                while (last + 1 < n && has_bit(mask, last + 1))
                        last++;
                text_addf(text, last == i ? "%s%zu" : "%s%zu-%zu", text->n > 0 ? "," : "", i, last);
                i = last;
        }
}

static const char *number(UnitPlan *plan, uint64_t value) {
        return value == UINT64_MAX ? "max" : arena_printf(&plan->arena, "%" PRIu64, value);
}

void unit_plan_write_block(UnitPlan *plan, const char *property, const char *device, uint64_t value, const char *path) {
        const Property *p = unit_property(property);

        unit_plan_write(plan, p->file, arena_printf(&plan->arena, "%s %s%s", device, p->key, number(plan, value)),
                        path);
}

/* systemd's quota is per second; the file has quota and period, and writing one of them would reset the other. */
static void write_bandwidth(const Limits *l) {
        const UnitProp *share = unit_plan_find(l->plan, "CPUQuotaPerSecUSec");
        const UnitProp *length = unit_plan_find(l->plan, "CPUQuotaPeriodUSec");
        uint64_t quota = l->now->cpu_quota.set ? l->now->cpu_quota.v : UINT64_MAX;
        uint64_t period = length ? length->v.u64 : l->now->cpu_period.set ? l->now->cpu_period.v : DEFAULT_PERIOD;

        if (share)
                quota = share->v.u64 == UINT64_MAX ? UINT64_MAX
                        : (uint64_t) ((unsigned __int128) share->v.u64 * period / USEC_PER_SEC);
        if (share || length)
                unit_plan_write(l->plan, "cpu.max", arena_printf(&l->plan->arena, "%s %" PRIu64, number(l->plan, quota),
                                                                 period), share ? share->path : length->path);
}

static void write_number(const Limits *l, const UnitProp *p, const char *file) {
        const char *value = number(l->plan, p->v.u64);

        if (is_idle(p)) {
                unit_plan_write(l->plan, "cpu.idle", "1", p->path);
                return;
        }
        if (streq(file, "cpu.weight") && l->now->cpu_idle)
                unit_plan_write(l->plan, "cpu.idle", "0", p->path);
        if (streq(file, "io.weight"))
                value = arena_printf(&l->plan->arena, "default %s", value);
        if (!streq(file, "cpu.max"))
                unit_plan_write(l->plan, file, value, p->path);
}

static void write_property(const Limits *l, const UnitProp *p) {
        const Property *known = unit_property(p->name);
        _cleanup_text_ Text list = {};

        if (!known || !known->file)
                return;
        switch (p->type) {
        case UNIT_U64:
                write_number(l, p, known->file);
                break;
        case UNIT_BYTES:
                unit_prop_print_mask(p, &list);
                unit_plan_write(l->plan, known->file, list.s, p->path);
                break;
        case UNIT_WEIGHTS:
                for (size_t i = 0; i < p->v.weights.n; i++)
                        unit_plan_write_block(l->plan, p->name, startswith(p->v.weights.items[i].path, DEVICE_DIRECTORY),
                                              p->v.weights.items[i].value, p->path);
                break;
        default:
                break;
        }
}

/* Where a unit's properties come: before the other files of a new cgroup, behind them in an update. */
static void put_last(UnitPlan *plan, size_t n) {
        size_t size = n * sizeof(CgroupWrite), rest = plan->n_writes - n;
        CgroupWrite *last = xmalloc0(size);

        memcpy(last, plan->writes, size);
        memmove(plan->writes, plan->writes + n, rest * sizeof(CgroupWrite));
        memcpy(plan->writes + rest, last, size);
        free(last);
}

void unit_add_files(const Limits *l) {
        UnitPlan *plan = l->plan;

        /* What is there twice, for systemd, and as a file for one that does not know the property. */
        for (size_t i = 0; i < plan->n_writes; i++)
                plan->writes[i].instead_of = NULL;
        for (size_t i = 0; i < plan->n_props; i++)
                write_property(l, plan->props + i);
        write_bandwidth(l);
}

void unit_use_files(const Limits *l) {
        UnitPlan *plan = l->plan;
        size_t n = plan->n_writes;

        unit_add_files(l);
        plan->n_props = 0; /* the rest says something about a unit */
        if (!l->update && n > 0)
                put_last(plan, n);
}
