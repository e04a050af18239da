/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <linux/sched.h>
#include <sched.h>

#include "plan/init/internal.h"

static bool has_apparmor(const InitBuild *b) {
        return !isempty(b->process->apparmor_profile) &&
               (b->facts->apparmor || !streq(b->process->apparmor_profile, "unconfined"));
}

/* An ordinary user may write such a map without newgidmap, but only after setgroups(2) was denied. */
static bool maps_own_group_only(const InitBuild *b) {
        const SpecNamespace *user = spec_namespace(b->spec, CLONE_NEWUSER);
        const SpecLinux *l = &b->spec->linux_;

        return !b->facts->privileged && user && !user->path && l->n_gid_mappings == 1 && l->gid_mappings[0].size == 1 &&
               l->gid_mappings[0].host_id == b->facts->gid;
}

/*
 * Where it may be denied, a refusal of setgroups(2) is none of the configuration: engines list the groups of the
 * image whether or not they can be had.
 */
static bool may_not_change_groups(const InitBuild *b) {
        const SpecNamespace *user = spec_namespace(b->spec, CLONE_NEWUSER);

        return b->facts->setgroups_denied || maps_own_group_only(b) || (b->facts->rootless && user && user->path);
}

static void warn_refused(InitBuild *b, const char *set, uint64_t refused, const char *why) {
        _cleanup_text_ Text text = {};

        if (refused == 0)
                return;
        init_plan_print_capabilities(&text, refused);
        strings_add(b->arena, &b->plan->warnings, arena_printf(b->arena, "process.capabilities%s: cannot be granted%s: %s",
                                                               set, why, text.s));
}

/* "Runtimes SHOULD NOT fail if the container configuration requests capabilities that cannot be granted", but warn.
 * In a user namespace there are all of them, over what belongs to it. */
static void grant_capabilities(InitBuild *b) {
        bool all = (b->new_namespaces | b->joined_namespaces) & CLONE_NEWUSER;
        uint64_t possible = all ? UINT64_MAX : ~b->facts->lacked_capabilities;
        SpecCapabilities *c = &b->capabilities;

        if (!b->process->has_capabilities)
                return;
        *c = b->process->capabilities;
        warn_refused(b, "", (c->bounding | c->effective | c->permitted | c->inheritable | c->ambient) & ~possible, "");
        c->bounding &= possible;
        c->permitted &= possible;
        warn_refused(b, ".effective", c->effective & possible & ~c->permitted, " (not permitted)");
        c->effective &= c->permitted;
        warn_refused(b, ".inheritable", c->inheritable & possible & ~c->bounding, " (not in the bounding set)");
        c->inheritable &= c->bounding;
        warn_refused(b, ".ambient", c->ambient & possible & ~(c->permitted & c->inheritable),
                     " (not permitted and inheritable)");
        c->ambient &= c->permitted & c->inheritable;
}

/* sched(7). INIT_HOOK comes after INIT_SCHEDULER and forks. */
static bool cannot_fork(const SpecProcess *p) {
        return p->scheduler && p->scheduler->policy == SCHED_DEADLINE &&
               !(p->scheduler->flags & SCHED_FLAG_RESET_ON_FORK);
}

/* A process that is to be confined does not run unconfined because the host lacks the means. */
int build_check_process(InitBuild *b) {
        const SpecProcess *p = b->process;

        if (b->request && b->request->seccomp_unknown)
                strings_add(b->arena, &b->plan->warnings,
                            arena_printf(b->arena, "linux.seccomp.syscalls: libseccomp does not know, and so without effect: "
                                         "%s", b->request->seccomp_unknown));
        if (!p)
                return 0;
        if (build_check_stdio(b) < 0)
                return -EOPNOTSUPP;
        if (has_apparmor(b) && !b->facts->apparmor)
                return error_setf(b->reterr, EOPNOTSUPP,
                                  "process.apparmorProfile: AppArmor is not enabled on this host");
        if (!isempty(p->selinux_label) && !b->facts->selinux)
                return error_setf(b->reterr, EOPNOTSUPP,
                                  "process.selinuxLabel: SELinux is not enabled on this host");
        if (!p->args && (!b->request || b->request->start_now)) /* exec has none */
                return error_setf(b->reterr, EINVAL, "process.args: needed to run something");
        if (p->n_additional_gids > 0 && maps_own_group_only(b) && !build_keeps_groups(b))
                return error_setf(b->reterr, EOPNOTSUPP, "process.user.additionalGids: nobody may change groups in a user "
                                  "namespace in which linux.gidMappings has your own group alone");
        if (p->n_additional_gids > 0 && b->facts->setgroups_denied && !build_keeps_groups(b))
                strings_add(b->arena, &b->plan->warnings, "process.user.additionalGids: setgroups(2) is denied in this user "
                            "namespace");
        if (!b->exec && cannot_fork(p) && b->spec->hooks[HOOK_START_CONTAINER].n > 0)
                return error_setf(b->reterr, EINVAL, "process.scheduler.flags: SCHED_DEADLINE with startContainer hooks "
                                  "needs SCHED_FLAG_RESET_ON_FORK");
        grant_capabilities(b);
        return build_check_seccomp(b);
}

static void add_user(InitBuild *b) {
        const SpecProcess *p = b->process;
        const char **groups = arena_calloc(b->arena, p->n_additional_gids + 1, sizeof(*groups));

        for (size_t i = 0; i < p->n_additional_gids; i++)
                groups[i] = arena_printf(b->arena, "%u", p->additional_gids[i]);
        *init_add_user(b->plan, "process.user") = (InitUser){
                .uid = p->uid,
                .gid = p->gid,
                .keep_groups = build_keeps_groups(b),
                .lenient_groups = may_not_change_groups(b),
                .groups = groups,
        };
}

/* While the launcher can still report that there is no such program. */
static void add_find(InitBuild *b) {
        if (!b->process->args)
                return;
        b->env = build_env(b);
        *init_add_find(b->plan, NULL) = (InitFind){
                .effective = b->capabilities.effective,
                .args = b->process->args,
                .env = b->env,
        };
}

static void add_capabilities(InitBuild *b) {
        const SpecCapabilities *c = &b->capabilities;

        *init_add_capabilities(b->plan, "process.capabilities") = (InitCapabilities){
                .effective = c->effective,
                .permitted = c->permitted,
                .inheritable = c->inheritable,
                .ambient = c->ambient,
        };
}

/*
 * From root in the container's namespaces to the user that was asked for. After INIT_USER files are opened with that
 * user's ids, and until INIT_CAPABILITIES with all capabilities:
 *   - what is written to /proc (labels) comes before the user, as our files there belong to root;
 *   - INIT_CWD comes in between: a directory that only the user may enter (a network file system that squashes
 *     root) and one that only root may enter (the engine's choice, not the user's) both work;
 *   - INIT_FIND sees what the exec will see, as the user, with the capabilities that will be in effect, but not through
 *     the filter: that is made for the program, which may get along without the calls that a search takes;
 *   - the limits come before the filter and after all that may need many descriptors or pages; only what the gate
 *     needs comes after, for which a limit of very few files waits until the end.
 */
void build_process(InitBuild *b) {
        const SpecProcess *p = b->process;

        build_stdio(b);
        if (!p) { /* nothing will run, but it will be seen */
                if (build_goes_inside(b))
                        init_add_capabilities(b->plan, NULL);
                return;
        }
        build_priorities(b);
        if (has_apparmor(b))
                init_add_apparmor(b->plan, "process.apparmorProfile")->profile = p->apparmor_profile;
        if (!isempty(p->selinux_label))
                init_add_selinux(b->plan, "process.selinuxLabel")->label = p->selinux_label;
        init_add_umask(b->plan, NULL)->mask = p->umask.set ? p->umask.v : 0022;
        init_add_bounding(b->plan, "process.capabilities.bounding")->caps = b->capabilities.bounding;
        add_user(b);
        init_add_cwd(b->plan, "process.cwd")->path = p->cwd;
        build_enter_cgroup(b); /* before the first file of the image is opened: it may be a device */
        add_find(b);
        build_rlimits(b, LIMIT_EARLY);
        build_filter(b, FILTER_BEFORE_CAPABILITIES);
        add_capabilities(b);
        if (p->no_new_privileges)
                init_add_no_new_privs(b->plan, "process.noNewPrivileges");
        build_filter(b, FILTER_BEFORE_READY);
}

static void go_inside(InitBuild *b) {
        if (!build_goes_inside(b))
                return;
        init_add_fork_inside(b->plan, NULL);
        init_add_setsid(b->plan, NULL);
        if (b->process && b->process->terminal)
                init_add_control_terminal(b->plan, NULL);
        build_after_fork(b);
}

/* The end. Without a command (or without a process at all) there is nothing behind the gate, and `start` is told so. */
void build_command(InitBuild *b) {
        build_enter_cgroup(b);
        go_inside(b);
        if (b->waits || b->plan->launcher_schedules || b->plan->launcher_gives_stdio)
                init_add_ready(b->plan, NULL);
        if (build_has_gate(b))
                init_add_gate(b->plan, NULL);
        if (!b->process || !b->process->args)
                return;
        if (!b->exec)
                build_start_hooks(b);
        build_rlimits(b, LIMIT_LAST);
        build_filter(b, FILTER_LAST);
        *init_add_exec(b->plan, NULL) = (InitExec){
                .listen = b->listen_fds > 0,
                .args = b->process->args,
                .env = b->env,
        };
}
