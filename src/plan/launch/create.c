/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the launcher does for a new process, and what it answers the helper that becomes this process. */
#include "plan/launch/plan.h"

/* Either of the verbs. */
typedef struct Making {
        const InitPlan *init;
        LaunchRuntimeHooks runtime_hooks;
        const UnitPlan *unit;    /* NULL: it is born in its home */
        bool sends_terminal;
        bool listens;            /* there is a seccomp listener */
} Making;

static void add_ready(const Making *m, LaunchPlan *plan) {
        if (m->listens)
                (void) launch_add_send_listener(plan);
        if (m->unit && m->unit->delegate)
                launch_add_delegate(plan)->name = m->unit->delegate;
}

static void add_answer(const Making *m, InitMessageType message, LaunchPlan *plan) {
        switch (message) {
        case INIT_MSG_PID:
                (void) launch_add_follow(plan);
                break;
        case INIT_MSG_INSIDE:
                (void) launch_add_follow(plan);
                add_ready(m, plan);
                break;
        case INIT_MSG_MAP_ME:
                (void) launch_add_map_users(plan);
                break;
        case INIT_MSG_HOOKS:
                *launch_add_runtime_hooks(plan) = m->runtime_hooks;
                break;
        case INIT_MSG_NETWORK:
                (void) launch_add_move_net_devices(plan);
                break;
        case INIT_MSG_MOUNT:
        case INIT_MSG_DETACHED:
                launch_add_note_mount(plan)->tree = message == INIT_MSG_DETACHED;
                break;
        case INIT_MSG_NOT_LOCKED:
                (void) launch_add_say_unlocked(plan);
                break;
        case INIT_MSG_GATE:
                (void) launch_add_bind_gate(plan);
                break;
        case INIT_MSG_NOTIFY:
                (void) launch_add_keep_notify(plan);
                break;
        case INIT_MSG_CONSOLE:
                (void) (m->sends_terminal ? launch_plan_add(plan, LAUNCH_SEND_TERMINAL)
                                          : launch_plan_add(plan, LAUNCH_KEEP_TERMINAL));
                break;
        case INIT_MSG_LISTENER:
                (void) launch_add_keep_listener(plan);
                (void) launch_add_send_listener(plan);
                break;
        default: /* READY */
                add_ready(m, plan);
        }
}

static bool says(const InitPlan *init, InitMessageType message) {
        for (const InitStep *s = init->steps; s < init->steps + init->n_steps; s++)
                if (launch_message_of(s, false) == message)
                        return true;
        return false;
}

/* What can be done only now, as there was no cgroup before; and the helper waits for it where its plan says so. */
static void add_home_answer(const UnitPlan *unit, LaunchPlan *plan) {
        plan->answering = LAUNCH_HOME;
        launch_plan_add_limits(unit, plan);
        *launch_add_enter_home(plan) =
                (LaunchEnterHome){ .moves = home_is_cgroup(unit->home), .subgroup = unit->subgroup };
}

static void add_attend(Making *m, LaunchPlan *plan) {
        bool inside = false;

        m->listens = says(m->init, INIT_MSG_LISTENER);
        (void) launch_add_attend(plan);
        if (m->unit && m->unit->home != HOME_NONE)
                add_home_answer(m->unit, plan);
        for (const InitStep *s = m->init->steps; s < m->init->steps + m->init->n_steps; s++) {
                inside = inside || s->op == INIT_FORK_INSIDE;
                plan->answering = launch_message_of(s, inside);
                if (plan->answering)
                        add_answer(m, plan->answering, plan);
        }
        plan->answering = 0;
        if (m->init->launcher_gives_stdio || m->init->launcher_schedules)
                (void) launch_add_finish(plan);
}

static void add_home(const UnitPlan *unit, LaunchPlan *plan) {
        if (unit->launcher)
                launch_add_step_aside(plan)->path = unit->launcher;
        if (home_is_cgroup(unit->home))
                launch_add_cgroup(plan)->path = unit->cgroup;
        else if (unit->home == HOME_SCOPE)
                *launch_add_scope(plan) = (LaunchScope){ .name = unit->name, .slice = unit->slice };
}

/* How it is known. What systemd starts once more is known already, and has its end told whatever becomes of it. */
static void add_record(const LaunchCreation *c, LaunchPlan *plan) {
        const SpecHooks *end = &c->spec->hooks[HOOK_POSTSTOP];

        if (c->unit->home == HOME_SERVICE) {
                (void) launch_add_renew(plan);
                return;
        }
        if (end->n > 0 && c->unit->home != HOME_IN_SERVICE)
                launch_add_end_hooks(plan)->hooks = *end;
        launch_add_remember(plan)->id = c->id;
}

/* What is undone when the process has ended comes before it. */
static void add_before(const LaunchCreation *c, LaunchPlan *plan) {
        add_record(c, plan);
        if (c->rdt->group)
                *launch_add_make_rdt(plan) = (LaunchMakeRdt){ .group = c->rdt->group, .monitor = c->rdt->monitor };
        if (says(c->init, INIT_MSG_MOUNT) || says(c->init, INIT_MSG_DETACHED))
                launch_add_leave_rootfs(plan)->path = c->spec->root_path;
        add_home(c->unit, plan);
}

void launch_plan_create(const LaunchCreation *c, LaunchPlan *ret) {
        const SpecHooks *started = &c->spec->hooks[HOOK_POSTSTART];
        Making m = {
                .init = c->init,
                .runtime_hooks = { .prestart = c->spec->hooks[HOOK_PRESTART],
                                   .create_runtime = c->spec->hooks[HOOK_CREATE_RUNTIME] },
                .unit = c->unit,
                .sends_terminal = c->sends_terminal,
        };

        *ret = (LaunchPlan){};
        add_before(c, ret);
        *launch_add_spawn(ret) = (LaunchSpawn){ .marked = true, .sibling = home_is_supervised(c->unit->home) };
        add_attend(&m, ret);
        if (c->rdt->group)
                *launch_add_join_rdt(ret) = (LaunchJoinRdt){ .group = c->rdt->group, .monitor = c->rdt->monitor };
        if (says(c->init, INIT_MSG_DETACHED))
                (void) launch_add_attach_rootfs(ret);
        (void) launch_add_commit(ret);
        if (home_is_supervised(c->unit->home))
                (void) launch_add_entrust(ret);
        if (c->sends_pidfd)
                (void) launch_add_send_pidfd(ret);
        if (c->pid_file)
                launch_add_pid_file(ret)->path = c->pid_file;
        launch_add_release(ret)->waits = c->start_now;
        if (c->start_now && started->n > 0)
                launch_add_poststart(ret)->hooks = *started;
        if (c->unit->launcher)
                launch_add_step_back(ret)->path = c->unit->launcher;
}

void launch_plan_supervise(const LaunchCreation *c, LaunchPlan *ret) {
        *ret = (LaunchPlan){};
        launch_add_remember(ret)->id = c->id;
        *launch_add_start_service(ret) = (LaunchStartService){ .name = c->unit->name, .slice = c->unit->slice };
        if (c->pid_file)
                launch_add_pid_file(ret)->path = c->pid_file;
}

static void add_session(const LaunchExec *e, LaunchPlan *plan) {
        (void) launch_add_commit_session(plan);
        (void) launch_add_entrust(plan);
        if (e->apart) /* not before: systemd takes of an ordinary user what is in the service's cgroup alone */
                (void) launch_add_join_cgroup(plan);
}

void launch_plan_session(const char *name, const UnitPlan *unit, const char *pid_file, LaunchPlan *ret) {
        *ret = (LaunchPlan){};
        launch_add_remember_session(ret)->id = name;
        *launch_add_start_service(ret) = (LaunchStartService){ .name = unit->name, .slice = unit->slice };
        if (pid_file)
                launch_add_pid_file(ret)->path = pid_file;
}

void launch_plan_exec(const LaunchExec *e, LaunchPlan *ret) {
        Making m = { .init = e->init, .sends_terminal = e->sends_terminal };

        *ret = (LaunchPlan){};
        launch_add_spawn(ret)->sibling = e->session;
        (void) launch_add_is_in_cgroup(ret);
        add_attend(&m, ret);
        if (e->rdt_group)
                *launch_add_join_rdt(ret) = (LaunchJoinRdt){ .group = e->rdt_group, .monitor = e->rdt_monitor };
        if (e->session)
                add_session(e, ret);
        if (e->sends_pidfd)
                (void) launch_add_send_pidfd(ret);
        launch_add_release(ret)->waits = true;
        if (e->pid_file) /* only now: an engine takes it for success */
                launch_add_pid_file(ret)->path = e->pid_file;
}
