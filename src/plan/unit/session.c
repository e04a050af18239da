/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/unit/internal.h"

#define STOP_USEC UINT64_C(10000000)

static void add_command(UnitPlan *plan, const char *property, const char *verb, const SessionUnit *s) {
        const char *words[] = { s->program, "--root", s->root, verb, s->id, s->name };
        UnitProp *p = unit_plan_add(plan, property, UNIT_COMMAND);

        p->v.strv.n = ELEMENTSOF(words);
        p->v.strv.items = arena_calloc(&plan->arena, ELEMENTSOF(words), sizeof(*words));
        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                p->v.strv.items[i] = arena_strdup(&plan->arena, words[i]);
}

/* What the process is given stands in a file of ours: of a unit everybody reads the command line. */
void unit_plan_build_session(const SessionUnit *s, UnitPlan *ret) {
        UnitPlan plan = { .home = HOME_SERVICE };
        Arena *a = &plan.arena;
        const char *whose;

        plan.name = unit_name_of_session(s->unit, s->name, a);
        plan.slice = arena_strdup(a, s->slice);
        whose = arena_printf(a, "session %s of OCI container %s", s->name, s->id);
        unit_plan_add_string(&plan, "Description", arena_printf(a, "S%s", whose + 1));
        unit_plan_add_string(&plan, "Slice", plan.slice);
        unit_plan_add_string(&plan, "CollectMode", "inactive-or-failed");
        unit_plan_add_string(&plan, "Type", "notify");
        unit_plan_add_string(&plan, "NotifyAccess", "all"); /* as for the container's own (service.c) */
        add_command(&plan, "ExecStart", "service-start", s);
        add_command(unit_add_end(&plan, whose, s->rootless), "ExecStart", "service-ended", s);
        /* We are in its cgroup, too, and may have to say why the process could not execute its program. */
        unit_plan_add_string(&plan, "KillMode", "process");
        unit_plan_add_u64(&plan, "TimeoutStartUSec", UINT64_MAX);
        unit_plan_add_u64(&plan, "TimeoutStopUSec", STOP_USEC);
        *ret = plan;
}
