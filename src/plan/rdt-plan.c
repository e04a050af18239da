/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/rdt-plan.h"

#define PATH "linux.intelRdt"

/* config-linux.md: the L3 cache first, the memory's bandwidth then, the rest last. */
static void add_lines(RdtPlan *plan, const SpecIntelRdt *rdt, Arena *a) {
        RdtLine *lines;
        size_t n = 2;

        for (size_t i = 0; rdt->schemata && rdt->schemata[i]; i++)
                n++;
        plan->lines = lines = arena_calloc(a, n, sizeof(*lines));
        n = 0;
        if (rdt->l3_cache_schema)
                lines[n++] = (RdtLine){ PATH ".l3CacheSchema", rdt->l3_cache_schema, true };
        if (rdt->mem_bw_schema)
                lines[n++] = (RdtLine){ PATH ".memBwSchema", rdt->mem_bw_schema, true };
        for (size_t i = 0; rdt->schemata && rdt->schemata[i]; i++)
                lines[n++] = (RdtLine){ arena_printf(a, PATH ".schemata[%zu]", i), rdt->schemata[i], false };
        plan->n_lines = n;
}

void rdt_plan_build(Spec *spec, const char *id, RdtPlan *ret) {
        const SpecIntelRdt *rdt = spec->linux_.intel_rdt;

        *ret = (RdtPlan){};
        if (!rdt)
                return;
        add_lines(ret, rdt, &spec->arena);
        ret->own = !rdt->clos_id;
        ret->must_exist = rdt->clos_id && ret->n_lines == 0;
        ret->group = !rdt->clos_id ? id : streq(rdt->clos_id, "/") ? RDT_ROOT : rdt->clos_id;
        ret->monitor = rdt->enable_monitoring ? id : NULL;
}

void rdt_plan_build_update(const SpecIntelRdt *rdt, const char *group, Arena *a, RdtPlan *ret) {
        *ret = (RdtPlan){ .group = group };
        add_lines(ret, rdt, a);
}

void rdt_plan_print(const RdtPlan *plan, Text *text) {
        if (!plan->group)
                return;
        text_addf(text, "group %s%s%s\n", plan->group, plan->own ? " own" : "", plan->must_exist ? " must-exist" : "");
        for (size_t i = 0; i < plan->n_lines; i++)
                text_addf(text, "schemata %s%s\n", plan->lines[i].text, plan->lines[i].must_match ? " must-match" : "");
        if (plan->monitor)
                text_addf(text, "monitor %s\n", plan->monitor);
}
