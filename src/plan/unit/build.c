/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <sched.h>

#include "basic/file.h"
#include "plan/unit/internal.h"

#define USEC_PER_SEC UINT64_C(1000000)
#define TIMEOUT_STOP (10 * USEC_PER_SEC)
#define CGROUP_NAME_MAX 100

/*
 * What every scope has. Controllers are enabled by accounting, so that they are there before a limit is set
 * later and for the container's own cgroups. Without default dependencies the scope is neither stopped
 * before nor ordered against the shutdown of its slice by more than the slice itself, as with other
 * runtimes. A scope that failed (its init was killed, for instance by the OOM killer) must not stay and
 * block the name.
 */
static void add_basics(UnitPlan *plan, const char *id) {
        static const char *const accounting[] = { "CPUAccounting", "MemoryAccounting", "IOAccounting",
                                                  "TasksAccounting" };

        unit_plan_add_string(plan, "Description", arena_printf(&plan->arena, "OCI container %s", id));
        unit_plan_add_string(plan, "Slice", plan->slice);
        unit_plan_add_bool(plan, "Delegate", true);
        unit_plan_add_bool(plan, "DefaultDependencies", false);
        unit_plan_add_string(plan, "CollectMode", "inactive-or-failed")->optional = true;
        unit_plan_add_u64(plan, "TimeoutStopUSec", TIMEOUT_STOP);
        for (size_t i = 0; i < ELEMENTSOF(accounting); i++)
                /* Optional: accounting that a manager does without the setting is not lost. */
                unit_plan_add_bool(plan, accounting[i], true)->optional = true;
}

/* crun's annotations: the container below the scope instead of in it, and below the root of its cgroup namespace. */
static int read_cgroup_name(UnitPlan *plan, const Spec *spec, const char *key, const char **ret, Error *reterr) {
        const char *s = spec_annotation(spec, key);
        bool good;

        if (isempty(s))
                return 0;
        good = strlen(s) <= CGROUP_NAME_MAX && s[0] != '.' && !startswith(s, "cgroup.");
        for (const char *c = s; good && *c; c++)
                good = (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                       strchr("_.-", *c);
        if (!good)
                return error_setf(reterr, EINVAL, "annotation %s: \"%s\" is not the name of a cgroup", key, s);
        *ret = arena_strdup(&plan->arena, s);
        return 0;
}

/* config-linux.md, "Cgroup ownership": a container that has its cgroup namespace, and may write to what it sees there,
 * gets to own it: it can make cgroups below, and cannot change its own limits. One that an annotation has delegated to it
 * is for its root, whatever it sees. */
static void set_owner(UnitPlan *plan, const Spec *spec, const HostFacts *facts) {
        const SpecNamespace *cgroup = spec_namespace(spec, CLONE_NEWCGROUP), *user = spec_namespace(spec, CLONE_NEWUSER);
        uint32_t uid = spec->process && !plan->delegate ? spec->process->uid : 0;
        const SpecLinux *l = &spec->linux_;
        bool writable = plan->delegate;

        for (size_t i = 0; i < spec->n_mounts; i++) {
                const SpecMount *m = &spec->mounts[i];

                if (m->type && (streq(m->type, "cgroup") || streq(m->type, "cgroup2")) &&
                    streq(path_normalize(&plan->arena, "/", m->destination), "/sys/fs/cgroup"))
                        writable = !spec_mount_has_option(m, "ro") && !spec_mount_has_option(m, "rro");
        }
        /* What the ids of a namespace that is joined stand for is not known here. */
        if (!writable || (!plan->delegate && (!cgroup || cgroup->path)) || (user && user->path) ||
            (user && !spec_map_id(l->uid_mappings, l->n_uid_mappings, uid, &uid)))
                return;
        plan->owner = (OptU32){ .set = uid != facts->uid, .v = uid };
}

static const LimitsNow nothing_yet;

/* What the service is, its own unit file says. */
static int place_in_service(UnitPlan *plan, const Spec *spec, const Supervision *s, Error *reterr) {
        if (!isempty(spec->linux_.cgroups_path))
                return error_setf(reterr, EINVAL,
                                  "linux.cgroupsPath: the container is in %s, whose Slice= says where that is",
                                  s->unit);
        plan->home = HOME_IN_SERVICE;
        plan->name = s->unit;
        plan->cgroup = arena_printf(&plan->arena, "%s/container", s->cgroup);
        plan->launcher = arena_printf(&plan->arena, "%s/launcher", s->cgroup);
        return 0;
}

/* The service stops first, in its own time, and takes the container along if it can: who waits in there for the container's end
 * tells it to stop. A service that is started again waits until the scope is gone. */
static void end_with(UnitPlan *plan, const char *service) {
        static const char *const properties[] = { "BindsTo", "Before" };

        for (size_t i = 0; i < ELEMENTSOF(properties); i++) {
                UnitProp *p = unit_plan_add(plan, properties[i], UNIT_STRV);

                p->v.strv.n = 1;
                p->v.strv.items = arena_calloc(&plan->arena, 1, sizeof(char *));
                p->v.strv.items[0] = arena_strdup(&plan->arena, service);
        }
}

/* Where the container goes: into a scope, or into a cgroup in the caller's unit. What is asked to be in a unit, and cannot,
 * would as a scope be out of its limits. */
static int place(UnitPlan *plan, const Spec *spec, const Request *request, const HostFacts *facts, Error *reterr) {
        const char *path = spec->linux_.cgroups_path;
        bool (*may_make)(const char *path) = facts->queries.may_make_cgroup;
        const char *unit;
        int r;

        if (request->supervision.cgroup)
                return place_in_service(plan, spec, &request->supervision, reterr);
        if (!facts->systemd_cgroup && !request->supervision.program && path && !strchr(path, ':')) {
                if (may_make && may_make(path)) {
                        plan->home = HOME_CGROUP;
                        plan->cgroup = arena_strdup(&plan->arena, path);
                        return 0;
                }
                unit = unit_name_above(path, &plan->arena);
                if (unit)
                        return error_setf(reterr, EINVAL, "linux.cgroupsPath: \"%s\" is in %s, and can be made only by who "
                                          "runs in that unit, with Delegate=yes%s (a scope is SLICE:PREFIX:NAME)", path, unit,
                                          facts->rootless ? " and DelegateSubgroup=" : "");
        }
        plan->home = request->supervision.program ? HOME_SERVICE : HOME_SCOPE;
        r = unit_name_build(path, request->id, facts->rootless, &plan->arena, &plan->name, &plan->slice, reterr);
        if (r < 0)
                return r;
        add_basics(plan, request->id);
        if (request->ends_with)
                end_with(plan, request->ends_with);
        if (plan->home == HOME_SERVICE)
                unit_add_service(plan, spec, request, facts);
        return 0;
}

static int add_resources(const Limits *l) {
        int (*const parts[])(const Limits *l) = {
                unit_add_memory, unit_add_cpu, unit_add_pids, unit_add_block_io, unit_add_others, unit_add_unified,
                unit_check_cpu_burst,
        };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(parts) && r == 0; i++)
                r = parts[i](l);
        return r;
}

static int build(UnitPlan *plan, const Spec *spec, const Request *request, const HostFacts *facts,
                 Error *reterr) {
        const SpecLinux *l = &spec->linux_;
        const Limits limits = { plan, l->resources, facts, &nothing_yet, false, reterr };
        int r;

        r = place(plan, spec, request, facts, reterr);
        if (r < 0)
                return r;
        r = read_cgroup_name(plan, spec, "run.oci.systemd.subgroup", &plan->subgroup, reterr);
        if (r >= 0)
                r = read_cgroup_name(plan, spec, "run.oci.delegate-cgroup", &plan->delegate, reterr);
        if (r < 0)
                return r;
        set_owner(plan, spec, facts);
        if (l->resources) {
                r = add_resources(&limits);
                if (r < 0)
                        return r;
        }
        /* A user's manager may not attach device filters. What rootless containers can open is what their
         * user can. */
        if (!facts->rootless) {
                r = unit_add_devices(plan, l->resources, l->devices, l->n_devices, false, reterr);
                if (r < 0)
                        return r;
        }
        r = unit_add_annotations(plan, spec, reterr);
        if (r == 0 && plan->home == HOME_SERVICE)
                r = unit_add_options(&limits, &request->supervision);
        if (r == 0 && home_is_cgroup(plan->home))
                unit_use_files(&limits);
        return r;
}

int unit_plan_build(const Spec *spec, const Request *request, const HostFacts *facts, UnitPlan *ret,
                    Error *reterr) {
        _cleanup_(unit_plan_done) UnitPlan plan = {};
        int r;

        r = build(&plan, spec, request, facts, reterr);
        if (r < 0)
                return r;
        *ret = plan;
        plan = (UnitPlan){};
        return 0;
}

int unit_plan_build_update(const SpecResources *resources, const HostFacts *facts, const LimitsNow *now, UnitPlan *ret,
                           Error *reterr) {
        _cleanup_(unit_plan_done) UnitPlan plan = {};
        const Limits limits = { &plan, resources, facts, now ?: &nothing_yet, true, reterr };
        int r;

        plan.home = limits.now->cgroup ? HOME_CGROUP : HOME_SCOPE;
        plan.cgroup = limits.now->cgroup;
        r = add_resources(&limits);
        if (r < 0)
                return r;
        if (resources->n_devices > 0 && !facts->rootless) {
                if (limits.now->frozen && plan.home == HOME_SCOPE)
                        return error_setf(reterr, EBUSY, "linux.resources.devices: systemd does not change what a paused "
                                          "container may open: resume it first");
                r = unit_add_devices(&plan, resources, NULL, 0, true, reterr);
                if (r < 0)
                        return r;
        }
        if (plan.home == HOME_CGROUP)
                unit_use_files(&limits);
        else if (limits.now->frozen)
                unit_add_files(&limits);
        *ret = plan;
        plan = (UnitPlan){};
        return 0;
}
