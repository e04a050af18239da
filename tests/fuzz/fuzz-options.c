/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"
#include "plan/unit/internal.h"

/* Lines NAME=VALUE, as --property has them, to properties of a service. */

#define PROPERTIES_MAX 32

static const char config[] = "{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"rootfs\"},"
                             "\"linux\":{\"resources\":{\"memory\":{\"limit\":67108864},\"cpu\":{\"quota\":5000}}}}";

/* Without these systemd would not know the process, its end, and what is left of it. */
static const char *const ours[] = {
        "Type s notify",
        "NotifyAccess s all",
        "KillMode s mixed",
        "Delegate b true",
        "OnSuccess as ocirt-sd-c1::end.service",
        "OnFailure as ocirt-sd-c1::end.service",
};

static void check_accepted(const UnitPlan *plan) {
        _cleanup_text_ Text printed = {};
        size_t n_said = 0;

        unit_plan_print(plan, &printed);
        for (size_t i = 0; i < ELEMENTSOF(ours); i++) {
                _cleanup_free_ char *line = xasprintf("\n%s\n", ours[i]);

                ASSERT(strstr(printed.s, line));
        }
        ASSERT_STR(plan->name, "ocirt-sd-c1.service");
        check_slice_name(plan->slice);
        for (const UnitProp *p = plan->props; p < plan->props + plan->n_props; p++) {
                const Property *known = unit_property(p->name);
                bool said = p->path && startswith(p->path, "--property ");

                n_said += said;
                ASSERT(!said || (known && known->type == p->type && !p->optional));
                for (const UnitProp *other = plan->props; other < p; other++)
                        ASSERT(p->type == UNIT_STRV || p->type == UNIT_STATUSES || p->type == UNIT_PAIRS ||
                               !streq(p->name, other->name));
        }
        ASSERT(n_said <= PROPERTIES_MAX);
        check_printed(&printed, plan->n_props + plan->n_writes + plan->n_rules + 1 + plan->end->n_props + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const char *properties[PROPERTIES_MAX + 1] = {};
        const Request request = { .id = "c1", .bundle = "/bundle",
                                  .supervision = { .program = "/p", .root = "/r", .properties = properties } };
        const HostFacts facts = { .privileged = true };
        _cleanup_free_ char *input = xmalloc0(size + 1);
        _cleanup_(unit_plan_done) UnitPlan plan = {};
        _cleanup_spec_ Spec *spec = NULL;
        _cleanup_error_ Error e = {};
        char *rest = input;
        int r;

        memcpy(input, data, size);
        ASSERT_EQ(spec_parse(config, strlen(config), &spec, NULL), 0);
        for (size_t n = 0; rest && n < PROPERTIES_MAX; n++)
                properties[n] = next_line(&rest);
        r = unit_plan_build(spec, &request, &facts, &plan, &e);
        if (r < 0)
                check_error(r, &e);
        else
                check_accepted(&plan);
        return 0;
}
