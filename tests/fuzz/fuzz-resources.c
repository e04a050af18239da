/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"
#include "oci/spec-fields.h"
#include "plan/launch/plan.h"
#include "plan/unit/internal.h"

/* update's --resources: the object alone, to the properties that change. The same in config.json. */

#define OWN_CGROUP "/a.service/b"

static Spec *configured(const uint8_t *data, size_t size, const char *cgroups_path) {
        _cleanup_text_ Text json = {};
        Spec *spec = NULL;

        text_add(&json, "{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"r\"},\"linux\":{\"cgroupsPath\":\"");
        text_addf(&json, "%s\",\"resources\":", cgroups_path);
        text_addn(&json, (const char *) data, size);
        text_add(&json, "}}");
        /* It is one object by itself, so it cannot have ended the one around it. */
        ASSERT_EQ(spec_parse(json.s, json.n, &spec, NULL), 0);
        return spec;
}

/* What both have is the same: an update to what is there already changes nothing. */
static void compare(const UnitPlan *created, const UnitPlan *updated) {
        for (size_t i = 0; i < updated->n_props; i++) {
                const UnitProp *new = &updated->props[i], *old = unit_plan_find(created, new->name);

                if (old && new->type == UNIT_U64 && new->v.u64 != old->v.u64)
                        FAIL_AT("%s becomes %llu instead of %llu", new->name,
                                (unsigned long long) new->v.u64, (unsigned long long) old->v.u64);
        }
}

static void count_steps(const LaunchPlan *plan, size_t n[static _LAUNCH_OP_MAX]) {
        for (size_t i = 0; i < plan->n_steps; i++)
                n[plan->steps[i].op]++;
}

/* Each file is written, and the properties are set at one go, if there are any. What is written is saved. */
static void check_update_steps(const UnitPlan *unit, const LimitsNow *now) {
        _cleanup_launch_plan_ LaunchPlan plan = {};
        size_t n[_LAUNCH_OP_MAX] = {};

        launch_plan_update(unit, now, &plan);
        count_steps(&plan, n);
        ASSERT_EQ(n[LAUNCH_WRITE_LIMIT], unit->n_writes);
        ASSERT_EQ(n[LAUNCH_SAVE_LIMIT], unit->n_writes);
        ASSERT_EQ(n[LAUNCH_SET_PROPERTIES], unit->n_props > 0);
        ASSERT_EQ(n[LAUNCH_FILTER_DEVICES], unit->sets_devices);
        ASSERT_EQ(n[LAUNCH_SAVE_FILTER], unit->sets_devices);
}

/* The same for a new container, whose properties are its scope's, and which has nothing to be saved. */
static void check_create_steps(const UnitPlan *unit) {
        _cleanup_launch_plan_ LaunchPlan plan = {};
        size_t n[_LAUNCH_OP_MAX] = {};

        launch_plan_add_limits(unit, &plan);
        count_steps(&plan, n);
        ASSERT_EQ(n[LAUNCH_WRITE_LIMIT], unit->n_writes);
        ASSERT_EQ(n[LAUNCH_FILTER_DEVICES], unit->n_rules > 0);
        ASSERT_EQ(n[LAUNCH_WRITE_LIMIT] + n[LAUNCH_FILTER_DEVICES] + n[LAUNCH_CHECK_LIMIT] + n[LAUNCH_VERIFY_LIMIT] +
                  n[LAUNCH_VERIFY_PARTITION], plan.n_steps);
}

static void plan(const Spec *spec, const Spec *config, const HostFacts *facts) {
        const Request request = { .id = "c1", .bundle = "/bundle" };
        _cleanup_(unit_plan_done) UnitPlan updated = {}, created = {};
        _cleanup_error_ Error e = {}, e2 = {};
        const LimitsNow now = { .cgroup = facts->queries.may_make_cgroup ? OWN_CGROUP : NULL };
        int r, r2;

        r = unit_plan_build_update(spec->linux_.resources, facts, &now, &updated, &e);
        if (r < 0)
                check_error(r, &e);
        else {
                check_unit_plan(&updated, false);
                check_update_steps(&updated, &now);
        }
        r2 = unit_plan_build(config, &request, facts, &created, &e2);
        if (r2 < 0)
                check_error(r2, &e2);
        else {
                check_unit_plan(&created, false);
                check_create_steps(&created);
        }
        if (r >= 0) {
                ASSERT_EQ(r2, 0);
                compare(&created, &updated);
        }
}

static bool yes(const char *path) {
        return true;
}

const JsonField *const grammar = spec_resources_fields;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const HostFacts host = { .privileged = true }, rootless = { .rootless = true };
        const HostFacts own_cgroup = { .privileged = true, .queries.may_make_cgroup = yes };
        _cleanup_spec_ Spec *spec = NULL, *in_scope = NULL, *in_cgroup = NULL;
        _cleanup_error_ Error e = {};
        int r = spec_parse_resources((const char *) data, size, &spec, &e);

        if (r < 0) {
                check_error(r, &e);
                return 0;
        }
        in_scope = configured(data, size, "");
        in_cgroup = configured(data, size, OWN_CGROUP);
        plan(spec, in_scope, &host);
        plan(spec, in_scope, &rootless);
        plan(spec, in_cgroup, &own_cgroup);
        return 0;
}
