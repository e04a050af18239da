/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sched.h>

#include "fuzz.h"
#include "oci/spec-fields.h"

/* exec's --process: the object alone, to the plan of a process in a container that runs. */

static const char config[] = "{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"rootfs\"}}";

static Spec *container(void) {
        Spec *spec = NULL;

        ASSERT_EQ(spec_parse(config, strlen(config), &spec, NULL), 0);
        return spec;
}

static void plan(const Spec *spec, const SpecProcess *process, const HostFacts *facts, int namespaces) {
        const ExecRequest request = { .process = process, .namespaces = namespaces, .keyring = "k" };
        _cleanup_(init_plan_done) InitPlan plan = {};
        _cleanup_error_ Error e = {};
        int r = init_plan_build_exec(spec, &request, facts, &plan, &e);

        if (r < 0) {
                check_error(r, &e);
                return;
        }
        check_init_plan(&plan);
        check_confinement(&plan, spec, process);
}

const JsonField *const grammar = spec_process_fields;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const HostFacts host = { .privileged = true, .apparmor = true, .selinux = true };
        const HostFacts rootless = { .rootless = true, .own_userns = true };
        _cleanup_spec_ Spec *spec = container();
        _cleanup_error_ Error e = {};
        SpecProcess *process = NULL;
        int r = spec_parse_process(spec, (const char *) data, size, &process, &e);

        if (r < 0) {
                check_error(r, &e);
                return 0;
        }
        plan(spec, process, &host, CLONE_NEWNS | CLONE_NEWPID);
        plan(spec, process, &rootless, CLONE_NEWNS | CLONE_NEWUSER);
        return 0;
}
