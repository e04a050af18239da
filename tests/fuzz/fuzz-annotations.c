/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"
#include "plan/unit/internal.h"
#include "plan/unit/variant.h"

/* Lines NAME=VALUE, which are annotations org.systemd.property.NAME, to unit properties. */

#define ANNOTATIONS_MAX 32

static const char config[] = "{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"rootfs\"},"
                             "\"linux\":{\"resources\":{\"memory\":{\"limit\":67108864}}}}";

/* What the runtime decides, or what would give a container the host. */
static const char *const refused[] = {
        "Slice", "Delegate", "PIDs", "PIDFDs", "DeviceAllow", "DevicePolicy", "BPFProgram", "OnFailure",
        "OnSuccess", "Requires", "Wants", "BindsTo", "PartOf", "PropagatesStopTo", "JoinsNamespaceOf",
        "User", "Group", "SuccessAction", "FailureAction", "RuntimeMaxUSec", "JobTimeoutAction",
        "StartLimitAction", "Controller",
};

/* Numbers are what they say, and strings what is between the quotes. */
static void check_value(const UnitProp *p, const char *text, bool seconds) {
        _cleanup_free_ char *quoted = p->type == UNIT_STRING ? xasprintf("'%s'", p->v.s) : NULL;
        uint64_t v;

        if (quoted && text[0] == '\'' && !strchr(text, '\\') && strlen(text) == strlen(quoted))
                ASSERT_STR(quoted, text);
        if (parse_u64(text, &v) < 0)
                return;
        v *= seconds ? 1000000 : 1;
        if (p->type == UNIT_U64)
                ASSERT_EQ(p->v.u64, v);
        else if (p->type == UNIT_U32)
                ASSERT_EQ(p->v.u32, v);
        else {
                ASSERT_EQ(p->type, UNIT_I32);
                ASSERT_EQ(p->v.i32, v);
        }
}

static const UnitProp *find(const UnitPlan *plan, const char *name, bool *ret_seconds) {
        const UnitProp *p = unit_plan_find(plan, name);
        _cleanup_free_ char *usec = NULL;

        *ret_seconds = !p;
        if (p)
                return p;
        ASSERT(endswith(name, "Sec"));
        usec = xasprintf("%.*sUSec", (int) strlen(name) - 3, name);
        return unit_plan_find(plan, usec);
}

static void check_accepted(const UnitPlan *plan, const Spec *spec) {
        check_unit_plan(plan, true);
        ASSERT_STR(plan->name, "ocirt-sd-c1.scope");
        ASSERT_EQ(unit_plan_find(plan, "MemoryMax")->v.u64, 67108864);
        for (size_t i = 0; i < spec->n_annotations; i++) {
                const char *name = startswith(spec->annotations[i].key, "org.systemd.property.");
                const UnitProp *p;
                bool seconds;

                for (size_t k = 0; k < ELEMENTSOF(refused); k++)
                        ASSERT(!streq(name, refused[k]));
                p = find(plan, name, &seconds);
                if (!p)
                        FAIL_AT("%s is not in the plan", name);
                ASSERT(!p->optional);
                check_value(p, spec->annotations[i].value, seconds);
        }
}

/* The parser knows more than there are properties for. */
static void parse_alone(const char *text) {
        _cleanup_(arena_done) Arena a = {};
        Variant v, copy;

        if (variant_parse(text, &a, &v) < 0)
                return;
        ASSERT(v.type == '\0' || strchr("bynqiuxtdsa", v.type));
        ASSERT(v.type != 's' || v.s);
        ASSERT(v.type != 'a' || v.n_items == 0 || v.items[v.n_items - 1]);
        for (UnitType type = UNIT_BOOL; type <= UNIT_WEIGHTS; type++)
                if (variant_convert(&v, type) == 0 && v.type == '\0' && type == UNIT_U32)
                        ASSERT(!v.negative || v.i == 0);
        copy = v;
        if (variant_seconds_to_usec(&copy) == 0 && v.type != 'd')
                ASSERT_EQ(copy.u / 1000000, v.u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const Request request = { .id = "c1", .bundle = "/bundle" };
        const HostFacts facts = { .privileged = true };
        _cleanup_free_ char *input = input_string(data, size);
        _cleanup_(unit_plan_done) UnitPlan plan = {};
        SpecKeyValue annotations[ANNOTATIONS_MAX];
        _cleanup_spec_ Spec *spec = NULL;
        _cleanup_error_ Error e = {};
        char *rest = input;
        int r;

        if (!input || spec_parse(config, strlen(config), &spec, NULL) < 0)
                return 0;
        spec->annotations = annotations;
        while (rest && spec->n_annotations < ANNOTATIONS_MAX) {
                char *line = next_line(&rest);
                const char *name = strsep(&line, "=");

                parse_alone(line ?: name);
                annotations[spec->n_annotations++] = (SpecKeyValue){
                        arena_printf(&spec->arena, "org.systemd.property.%s", name), line ?: "",
                };
        }
        r = unit_plan_build(spec, &request, &facts, &plan, &e);
        if (r < 0)
                check_error(r, &e);
        else
                check_accepted(&plan, spec);
        return 0;
}
