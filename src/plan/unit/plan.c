/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/unit/plan.h"

#include <inttypes.h>
#include <signal.h>

#include "plan/unit/internal.h"

const char *const unit_signatures[] = {
        [UNIT_BOOL] = "b",   [UNIT_I32] = "i",    [UNIT_U32] = "u",
        [UNIT_U64] = "t",    [UNIT_STRING] = "s", [UNIT_STRV] = "as",
        [UNIT_BYTES] = "ay", [UNIT_PAIRS] = "a(ss)", [UNIT_WEIGHTS] = "a(st)",
        [UNIT_COMMAND] = "a(sasb)", [UNIT_FIELDS] = "aay",
        [UNIT_STATUSES] = "(aiai)",
};

void unit_plan_done(UnitPlan *plan) {
        if (plan->end)
                unit_plan_done(plan->end);
        free(plan->props);
        free(plan->writes);
        arena_done(&plan->arena);
        *plan = (UnitPlan){};
}

UnitProp *unit_plan_find(const UnitPlan *plan, const char *name) {
        for (size_t i = 0; i < plan->n_props; i++)
                if (streq(plan->props[i].name, name))
                        return plan->props + i;
        return NULL;
}

UnitProp *unit_plan_add(UnitPlan *plan, const char *name, UnitType type) {
        UnitProp *p;

        GREW(plan->props, plan->n_props);
        p = plan->props + plan->n_props++;
        *p = (UnitProp){ .name = name, .type = type };
        return p;
}

UnitProp *unit_plan_add_bool(UnitPlan *plan, const char *name, bool value) {
        UnitProp *p = unit_plan_add(plan, name, UNIT_BOOL);

        p->v.b = value;
        return p;
}

UnitProp *unit_plan_add_u64(UnitPlan *plan, const char *name, uint64_t value) {
        UnitProp *p = unit_plan_add(plan, name, UNIT_U64);

        p->v.u64 = value;
        return p;
}

UnitProp *unit_plan_add_string(UnitPlan *plan, const char *name, const char *value) {
        UnitProp *p = unit_plan_add(plan, name, UNIT_STRING);

        p->v.s = value;
        return p;
}

UnitProp *unit_plan_set(UnitPlan *plan, const char *name, UnitType type, const char *path) {
        UnitProp *p = unit_plan_find(plan, name) ?: unit_plan_add(plan, name, type);

        p->path = path;
        return p;
}

void unit_plan_set_u64(UnitPlan *plan, const char *name, uint64_t value, const char *path) {
        unit_plan_set(plan, name, UNIT_U64, path)->v.u64 = value;
}

/* Room for one more element in an array of the arena: doubles when n is a power of two (or 0). */
static void *arena_grow(Arena *a, void *array, size_t n, size_t size) {
        void *grown;

        if ((n & (n - 1)) != 0)
                return array;
        grown = arena_calloc(a, n > 0 ? 2 * n : 1, size);
        if (n > 0)
                memcpy(grown, array, n * size);
        return grown;
}

void unit_prop_add_pair(UnitPlan *plan, UnitProp *prop, const char *name, const char *value) {
        prop->v.pairs.items =
                arena_grow(&plan->arena, prop->v.pairs.items, prop->v.pairs.n, sizeof(UnitPair));
        prop->v.pairs.items[prop->v.pairs.n++] = (UnitPair){ name, value };
}

void unit_prop_set_weight(UnitPlan *plan, UnitProp *prop, const char *path, uint64_t value) {
        for (size_t i = 0; i < prop->v.weights.n; i++)
                if (streq(prop->v.weights.items[i].path, path)) {
                        prop->v.weights.items[i].value = value;
                        return;
                }
        prop->v.weights.items =
                arena_grow(&plan->arena, prop->v.weights.items, prop->v.weights.n, sizeof(UnitWeight));
        prop->v.weights.items[prop->v.weights.n++] = (UnitWeight){ path, value };
}

CgroupWrite *unit_plan_write(UnitPlan *plan, const char *file, const char *value, const char *path) {
        CgroupWrite *w;

        GREW(plan->writes, plan->n_writes);
        w = plan->writes + plan->n_writes++;
        *w = (CgroupWrite){
                .file = arena_strdup(&plan->arena, file),
                .value = arena_strdup(&plan->arena, value),
                .path = arena_strdup(&plan->arena, path),
        };
        return w;
}

static void print_u64(Text *text, uint64_t value) {
        if (value == UINT64_MAX)
                text_add(text, "infinity");
        else
                text_addf(text, "%" PRIu64, value);
}

static void print_signal(int32_t signal, Text *text) {
        const char *name = sigabbrev_np(signal);

        if (name)
                text_addf(text, " %s", name);
        else
                text_addf(text, " signal:%" PRIi32, signal);
}

static void print_list(const UnitProp *p, Text *text) {
        switch (p->type) {
        case UNIT_STRV:
        case UNIT_COMMAND:
        case UNIT_FIELDS:
                for (size_t i = 0; i < p->v.strv.n; i++) {
                        text_add(text, " ");
                        text_add_escaped(text, p->v.strv.items[i], " ");
                }
                break;
        case UNIT_BYTES:
                for (size_t i = 0; i < p->v.bytes.n; i++)
                        text_addf(text, " %02x", p->v.bytes.data[i]);
                break;
        case UNIT_PAIRS:
                for (size_t i = 0; i < p->v.pairs.n; i++) {
                        text_add(text, " ");
                        text_add_escaped(text, p->v.pairs.items[i].name, " =");
                        text_add(text, "=");
                        text_add_escaped(text, p->v.pairs.items[i].value, " ");
                }
                break;
        case UNIT_WEIGHTS:
                for (size_t i = 0; i < p->v.weights.n; i++) {
                        text_add(text, " ");
                        text_add_escaped(text, p->v.weights.items[i].path, " =");
                        text_add(text, "=");
                        print_u64(text, p->v.weights.items[i].value);
                }
                break;
        case UNIT_STATUSES:
                for (size_t i = 0; i < p->v.statuses.n_exits; i++)
                        text_addf(text, " %" PRIi32, p->v.statuses.exits[i]);
                for (size_t i = 0; i < p->v.statuses.n_signals; i++)
                        print_signal(p->v.statuses.signals[i], text);
                break;
        default:
                break;
        }
}

static void print_prop(const UnitProp *p, bool origin, Text *text) {
        text_addf(text, "%s %s", p->name, unit_signatures[p->type]);
        switch (p->type) {
        case UNIT_BOOL:
                text_add(text, p->v.b ? " true" : " false");
                break;
        case UNIT_I32:
                text_addf(text, " %" PRIi32, p->v.i32);
                break;
        case UNIT_U32:
                text_addf(text, " %" PRIu32, p->v.u32);
                break;
        case UNIT_U64:
                text_add(text, " ");
                print_u64(text, p->v.u64);
                break;
        case UNIT_STRING:
                text_add(text, " ");
                text_add_escaped(text, p->v.s, "");
                break;
        default:
                print_list(p, text);
                break;
        }
        text_add(text, p->optional ? " (optional)" : "");
        if (origin && p->path)
                text_addf(text, " # %s", p->path);
        text_add(text, "\n");
}

static void print_number(int64_t number, Text *text) {
        if (number < 0)
                text_add(text, "*");
        else
                text_addf(text, "%" PRIi64, number);
}

static void print_rule(const DeviceRule *r, Text *text) {
        text_addf(text, "filter %s %c ", r->allow ? "allow" : "deny", r->type);
        print_number(r->major, text);
        text_add(text, ":");
        print_number(r->minor, text);
        text_addf(text, " %s%s%s\n", r->access & DEVICE_READ ? "r" : "", r->access & DEVICE_WRITE ? "w" : "",
                  r->access & DEVICE_MKNOD ? "m" : "");
}

static void print(const UnitPlan *plan, bool origins, Text *text) {
        if (plan->slice) /* of an update it is known */
                text_addf(text, "unit %s in %s\n", plan->name, plan->slice);
        if (home_is_cgroup(plan->home))
                text_addf(text, "in cgroup %s\n", plan->cgroup);
        if (plan->subgroup)
                text_addf(text, "subgroup %s\n", plan->subgroup);
        if (plan->delegate)
                text_addf(text, "delegate %s\n", plan->delegate);
        if (plan->owner.set)
                text_addf(text, "owner %" PRIu32 "\n", plan->owner.v);
        for (size_t i = 0; i < plan->n_props; i++)
                print_prop(plan->props + i, origins, text);
        for (size_t i = 0; i < plan->n_writes; i++) {
                const CgroupWrite *w = plan->writes + i;

                text_addf(text, "cgroup %s = ", w->file);
                text_add_escaped(text, w->value, "");
                if (w->instead_of)
                        text_addf(text, " (instead of %s)", w->instead_of);
                text_addf(text, "%s # %s\n", w->optional ? " (optional)" : "", w->path);
        }
        for (size_t i = 0; i < plan->n_rules; i++)
                print_rule(plan->rules + i, text);
        if (plan->end)
                print(plan->end, origins, text);
}

void unit_plan_print(const UnitPlan *plan, Text *text) {
        print(plan, false, text);
}

void unit_plan_explain(const UnitPlan *plan, Text *text) {
        print(plan, true, text);
}
