/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A container whose parent is systemd: a service of Type=notify. Its ExecStart= is us, who make the container's process a
 * child of systemd's, name it (MAINPID=), say that it is there (READY=1) and go. From there on all is systemd's: how it ends,
 * whether it begins again, how long its end may take.
 */
#include <signal.h>

#include "plan/unit/internal.h"

/* In half a minute, of which the journal makes several times as many where there is much room: more than it can take. */
#define MESSAGES 100000000U
#define SCOPE_SUFFIX ".scope"

static void add_command(UnitPlan *plan, const char *property, const char *verb, const Request *request) {
        const Supervision *s = &request->supervision;
        const char *words[] = { s->program, "--root", s->root, verb, request->id };
        UnitProp *p = unit_plan_add(plan, property, UNIT_COMMAND);

        p->v.strv.n = ELEMENTSOF(words);
        p->v.strv.items = arena_calloc(&plan->arena, ELEMENTSOF(words), sizeof(*words));
        memcpy(p->v.strv.items, words, sizeof(words));
}

/* As Podman and Docker name theirs, so that one search finds all (systemd.journal-fields(7)). An ordinary user's systemd has
 * no way to hand them to the journal. */
static void add_fields(UnitPlan *plan, const Request *request) {
        UnitProp *p = unit_plan_add(plan, "LogExtraFields", UNIT_FIELDS);

        p->v.strv.n = 3;
        p->v.strv.items = arena_calloc(&plan->arena, 3, sizeof(char *));
        p->v.strv.items[0] = arena_printf(&plan->arena, "CONTAINER_NAME=%s", request->id);
        p->v.strv.items[1] = arena_printf(&plan->arena, "CONTAINER_ID=%.12s", request->id);
        p->v.strv.items[2] = arena_printf(&plan->arena, "CONTAINER_ID_FULL=%s", request->id);
}

void unit_add_service(UnitPlan *plan, const Spec *spec, const Request *request, const HostFacts *facts) {
        const char *signal = spec_annotation(spec, SPEC_STOP_SIGNAL);

        plan->name = arena_printf(&plan->arena, "%.*s.service", (int) (strlen(plan->name) - strlen(SCOPE_SUFFIX)),
                                  plan->name);
        unit_plan_add_string(plan, "Type", "notify");
        unit_plan_add_string(plan, "NotifyAccess", "all"); /* we are not the main process any more when we say that it is one */
        add_command(plan, "ExecStart", "service-start", request);
        add_command(plan, "ExecStopPost", "service-ended", request);
        unit_plan_add_string(plan, "KillMode", "mixed");
        unit_plan_add(plan, "KillSignal", UNIT_I32)->v.i32 = isempty(signal) ? SIGTERM : parse_signal(signal);
        unit_plan_add_string(plan, "Restart", "no");
        unit_plan_add_u64(plan, "TimeoutStartUSec", UINT64_MAX); /* hooks have timeouts of their own, and the rest has ours */
        unit_plan_set(plan, "DefaultDependencies", UNIT_BOOL, NULL)->v.b = true; /* stopped in order when the host is */
        /* How one that has failed did so is there to be seen until it is deleted. */
        unit_plan_set(plan, "CollectMode", UNIT_STRING, NULL)->v.s = "inactive";
        unit_plan_add_string(plan, "OOMPolicy", "stop"); /* else nobody would learn why it ended */
        unit_plan_add(plan, "LogRateLimitBurst", UNIT_U32)->v.u32 = MESSAGES; /* an interval of 0 is the journal's own */
        if (!facts->rootless)
                add_fields(plan, request);
}
