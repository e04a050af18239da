/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "fuzz.h"
#include "oci/spec-fields.h"
#include "plan/rdt-plan.h"

/* config.json to both plans, on hosts that differ. */

static const struct {
        HostFacts facts;
        Request request;
} hosts[] = {
        { { .privileged = true, .cgroup_mount = "/sys/fs/cgroup" }, { .keyring = "k" } },
        { { .rootless = true, .own_userns = true },
          { .start_now = true, .no_pivot = true, .preserve_fds = 2, .listen_fds = 1,
            .listen_fd_names = "a b" } },
        { { .privileged = true, .apparmor = true, .selinux = true, .cgroup_disabled = true },
          { .notifies = true } },
};

static const struct sock_filter filter = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);

static bool is_annotated(const Spec *spec) {
        for (size_t i = 0; i < spec->n_annotations; i++)
                if (startswith(spec->annotations[i].key, "org.systemd.property."))
                        return true;
        return false;
}

static void plan_unit(const Spec *spec, const Request *request, const HostFacts *facts) {
        _cleanup_(unit_plan_done) UnitPlan plan = {};
        _cleanup_error_ Error e = {};
        int r = unit_plan_build(spec, request, facts, &plan, &e);

        if (r < 0)
                check_error(r, &e);
        else
                check_unit_plan(&plan, is_annotated(spec));
}

static void plan_init(const Spec *spec, const Request *request, const HostFacts *facts) {
        _cleanup_(init_plan_done) InitPlan plan = {};
        _cleanup_error_ Error e = {};
        int r = init_plan_build(spec, request, facts, &plan, &e);

        if (r < 0) {
                check_error(r, &e);
                return;
        }
        check_init_plan(&plan);
        check_confinement(&plan, spec, spec->process);
}

const JsonField *const grammar = spec_fields;

static void plan_unmount(const Spec *spec, const HostFacts *facts) {
        _cleanup_(init_plan_done) InitPlan plan = {};
        _cleanup_error_ Error e = {};
        int r = init_plan_build_unmount(spec, facts, "/rootfs", 5, &plan, &e);

        if (r < 0)
                check_error(r, &e);
        else
                check_init_plan(&plan);
}

/* A group is a directory, and what is written to its schemata are lines. */
static void plan_rdt(Spec *spec) {
        _cleanup_text_ Text printed = {};
        RdtPlan plan;

        rdt_plan_build(spec, "c1", &plan);
        if (!plan.group)
                return;
        ASSERT(!strchr(plan.group, '/') && !streq(plan.group, "..") && plan.group[0] != '\0');
        for (size_t i = 0; i < plan.n_lines; i++)
                ASSERT(!strchr(plan.lines[i].text, '\n'));
        rdt_plan_print(&plan, &printed);
}

/* Who wants all problems gets the same verdict, and what the others get is the first of them. */
static void look_for_problems(const uint8_t *data, size_t size, int r, const Error *e) {
        SpecProblems problems = {};
        _cleanup_spec_ Spec *spec = NULL;

        ASSERT((spec_parse_all((const char *) data, size, &problems, &spec) < 0) == (r < 0));
        ASSERT((problems.errors.n > 0) == (r < 0));
        ASSERT(r >= 0 || streq(problems.errors.s[0], e->message));
        for (size_t i = 0; i < problems.errors.n; i++)
                check_one_line(problems.errors.s[i]);
        for (size_t i = 0; i < problems.warnings.n; i++)
                check_one_line(problems.warnings.s[i]);
        spec_problems_done(&problems);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_spec_ Spec *spec = NULL;
        _cleanup_error_ Error e = {};
        int r = spec_parse((const char *) data, size, &spec, &e);

        look_for_problems(data, size, r, &e);
        if (r < 0) {
                check_error(r, &e);
                return 0;
        }
        for (size_t i = 0; i < spec->warnings.n; i++)
                check_one_line(spec->warnings.s[i]);
        plan_rdt(spec);
        for (size_t i = 0; i < ELEMENTSOF(hosts); i++) {
                Request request = hosts[i].request;

                request.id = "c1";
                request.bundle = "/bundle";
                if (spec->linux_.seccomp) {
                        request.seccomp = &filter;
                        request.seccomp_size = sizeof(filter);
                }
                plan_unit(spec, &request, &hosts[i].facts);
                plan_init(spec, &request, &hosts[i].facts);
                plan_unmount(spec, &hosts[i].facts);
        }
        return 0;
}
