/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A container whose parent is systemd: a service of Type=notify. Its ExecStart= is us, who make the container's process a
 * child of systemd's, name it (MAINPID=), say that it is there (READY=1) and go. From there on all is systemd's: how it ends,
 * whether it begins again, how long its end may take. When it has ended systemd starts another unit, which is us again. That
 * is no ExecStopPost=, as systemd would wait for that in the cgroup that was the container's: with everything else, if that is
 * frozen.
 */
#include <signal.h>
#include <syslog.h>

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

static void add_unit(UnitPlan *plan, const char *property, const char *unit) {
        UnitProp *p = unit_plan_add(plan, property, UNIT_STRV);

        p->v.strv.n = 1;
        p->v.strv.items = arena_calloc(&plan->arena, 1, sizeof(char *));
        p->v.strv.items[0] = arena_strdup(&plan->arena, unit);
}

/* It is over before the service begins again, and holds up the end of the host. How often that may be is the service's own
 * affair. Of what systemd says of it only errors are of interest, and our own words are that. */
UnitPlan *unit_add_end(UnitPlan *plan, const char *whose, bool rootless) {
        UnitPlan *end = plan->end = arena_calloc(&plan->arena, 1, sizeof(*end));

        end->home = HOME_SERVICE;
        end->slice = rootless ? "app.slice" : "system.slice";
        end->name = unit_name_of_end(HOME_SERVICE, plan->name, NULL, &plan->arena);
        unit_plan_add_string(end, "Description", arena_printf(&plan->arena, "End of %s", whose));
        unit_plan_add_string(end, "Slice", end->slice);
        unit_plan_add_string(end, "CollectMode", "inactive-or-failed");
        unit_plan_add_bool(end, "DefaultDependencies", false);
        unit_plan_add_u64(end, "StartLimitIntervalUSec", 0);
        add_unit(end, "Before", plan->name);
        add_unit(end, "Before", "shutdown.target");
        unit_plan_add_string(end, "Type", "oneshot");
        unit_plan_add(end, "SyslogLevel", UNIT_I32)->v.i32 = LOG_ERR;
        unit_plan_add(end, "LogLevelMax", UNIT_I32)->v.i32 = LOG_ERR;
        add_unit(plan, "OnSuccess", end->name);
        add_unit(plan, "OnFailure", end->name);
        return end;
}

void unit_add_service(UnitPlan *plan, const Spec *spec, const Request *request, const HostFacts *facts) {
        const char *signal = spec_annotation(spec, SPEC_STOP_SIGNAL);
        UnitPlan *end;

        plan->name = arena_printf(&plan->arena, "%.*s.service", (int) (strlen(plan->name) - strlen(SCOPE_SUFFIX)),
                                  plan->name);
        unit_plan_add_string(plan, "Type", "notify");
        unit_plan_add_string(plan, "NotifyAccess", "all"); /* we are not the main process any more when we say that it is one */
        add_command(plan, "ExecStart", "service-start", request);
        end = unit_add_end(plan, arena_printf(&plan->arena, "OCI container %s", request->id), facts->rootless);
        add_command(end, "ExecStart", "service-ended", request);
        unit_plan_add_string(plan, "KillMode", "mixed");
        unit_plan_add(plan, "KillSignal", UNIT_I32)->v.i32 = isempty(signal) ? SIGTERM : parse_signal(signal);
        unit_plan_add_string(plan, "Restart", "no");
        unit_plan_add_u64(plan, "TimeoutStartUSec", UINT64_MAX); /* hooks have timeouts of their own, and the rest has ours */
        unit_plan_set(plan, "DefaultDependencies", UNIT_BOOL, NULL)->v.b = true; /* stopped in order when the host is */
        /* How one that has failed did so is there to be seen until it is deleted. */
        unit_plan_set(plan, "CollectMode", UNIT_STRING, NULL)->v.s = "inactive";
        unit_plan_add_string(plan, "OOMPolicy", "stop"); /* else nobody would learn why it ended */
        unit_plan_add(plan, "LogRateLimitBurst", UNIT_U32)->v.u32 = MESSAGES; /* an interval of 0 is the journal's own */
        if (!facts->rootless) {
                add_fields(plan, request);
                add_fields(end, request);
        }
}
