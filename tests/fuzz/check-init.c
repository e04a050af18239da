/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sched.h>

#include "basic/file.h"
#include "fuzz.h"
#include "oci/json.h"
#include "plan/init/operands.h"

static void check_round_trip(const InitPlan *plan) {
        _cleanup_text_ Text bytes = {}, again = {}, before = {}, after = {};
        _cleanup_(init_plan_done) InitPlan back = {};

        init_plan_encode(plan, &bytes);
        ASSERT_EQ(init_plan_decode(bytes.s, bytes.n, &back), 0);
        init_plan_print(plan, &before);
        back.warnings = plan->warnings; /* these concern the launcher, and are not handed over */
        back.launcher_schedules = plan->launcher_schedules;
        back.launcher_gives_stdio = plan->launcher_gives_stdio;
        init_plan_print(&back, &after);
        ASSERT_STR(after.s, before.s);
        check_printed(&before, plan->warnings.n + plan->launcher_schedules + plan->launcher_gives_stdio + plan->n_steps);
        init_plan_encode(&back, &again);
        ASSERT_EQ(again.n, bytes.n);
        ASSERT(memcmp(again.s, bytes.s, bytes.n) == 0);
}

/* "/a/b": nothing that could lead elsewhere than it says. */
static void check_normalized(const char *path) {
        const char *p = path;

        ASSERT(path[0] == '/');
        if (path[1] == '\0')
                return;
        while (*p) {
                size_t n;

                ASSERT(*p++ == '/');
                n = strcspn(p, "/");
                ASSERT(n > 0);
                ASSERT(!(n == 1 && p[0] == '.'));
                ASSERT(!(n == 2 && p[0] == '.' && p[1] == '.'));
                p += n;
        }
}

/* Where in the rootfs does the step act? */
static const char *target_of(const InitStep *s) {
        switch (s->op) {
        case INIT_MOUNT:
                return s->mount.target;
        case INIT_BIND:
                return s->bind.target;
        case INIT_SYMLINK:
                return s->symlink.path;
        case INIT_CGROUP:
                return s->cgroup.target;
        case INIT_REMOUNT:
                return s->remount.path;
        case INIT_NOTIFY:
                return s->notify.path;
        case INIT_DEVICE:
                return s->device.path;
        case INIT_DEVICE_BIND:
                return s->device_bind.path;
        case INIT_MASK:
                return s->mask.path;
        case INIT_READONLY:
                return s->readonly.path;
        default:
                return NULL;
        }
}

/* Does the step fill the slot, and not use what is in it? */
static bool is_filled(const InitStep *s, const InitOperand *row) {
        if (streq(row->name, "keep"))
                return true;
        return streq(row->name, "slot") && s->op != INIT_JOIN && s->op != INIT_BIND && s->op != INIT_DEVICE_BIND;
}

/* Each is filled once, before it is used. */
static void check_slots(const InitPlan *plan) {
        bool filled[INIT_SLOTS + 1] = {};

        for (const InitStep *s = plan->steps; s < plan->steps + plan->n_steps; s++)
                for (const InitOperand *row = init_operands(s->op); row->kind; row++) {
                        uint64_t slot;

                        if (row->kind != OPERAND_SLOT && row->kind != OPERAND_SLOT_OR_NONE)
                                continue;
                        slot = init_operand_number(s, row);
                        ASSERT(slot <= INIT_SLOTS && (slot > 0 || row->kind == OPERAND_SLOT_OR_NONE));
                        if (slot == 0)
                                continue;
                        ASSERT_EQ(filled[slot], !is_filled(s, row));
                        filled[slot] = true;
                }
}

/* What a hook gets on its standard input. */
static void check_hook(const InitHook *s) {
        _cleanup_text_ Text state = {};
        _cleanup_error_ Error e = {};
        struct json_object *value;

        text_addf(&state, "%s1%s", s->state_head, s->state_tail);
        if (json_parse(state.s, state.n, &value, &e) < 0)
                FAIL_AT("a hook's state is not JSON: %s: %s", e.message, state.s);
        json_free(value);
}

void check_init_plan(const InitPlan *plan) {
        check_round_trip(plan);
        check_slots(plan);
        for (const InitStep *s = plan->steps; s < plan->steps + plan->n_steps; s++) {
                if (target_of(s))
                        check_normalized(target_of(s));
                if (s->op == INIT_SYSCTL) {
                        _cleanup_free_ char *path = xasprintf("/%s", s->sysctl.path);

                        check_normalized(path);
                        ASSERT(!strchr(s->sysctl.value, '\n'));
                }
                if (s->op == INIT_HOOK)
                        check_hook(&s->hook);
        }
}

/* How many are there? *ret: where the last is. */
static size_t count(const InitPlan *plan, InitOp op, size_t *ret) {
        size_t n = 0;

        for (size_t i = 0; i < plan->n_steps; i++)
                if (plan->steps[i].op == op) {
                        *ret = i;
                        n++;
                }
        return n;
}

/* Once the user's privileges are all there is, nothing is to be done that needs more. */
static bool is_for_anybody(InitOp op) {
        return op == INIT_NO_NEW_PRIVS || op == INIT_SECCOMP || op == INIT_FIND || op == INIT_WAIT_CGROUP ||
               op == INIT_READY || op == INIT_GATE || op == INIT_HOOK || op == INIT_EXEC || op == INIT_FORK_INSIDE ||
               op == INIT_SETSID || op == INIT_CONTROL_TERMINAL || op == INIT_RLIMIT || op == INIT_SCHEDULER ||
               op == INIT_IO_PRIORITY;
}

static void check_privileges(const InitPlan *plan, const SpecProcess *process) {
        size_t capabilities = 0, user = 0, bounding = 0, no_new_privs = 0, exec = 0;

        ASSERT_EQ(count(plan, INIT_CAPABILITIES, &capabilities), 1);
        ASSERT_EQ(count(plan, INIT_USER, &user), 1);
        ASSERT_EQ(count(plan, INIT_BOUNDING, &bounding), 1);
        ASSERT(bounding < user && user < capabilities);
        ASSERT_EQ(plan->steps[user].user.uid, process->uid);
        ASSERT_EQ(plan->steps[user].user.gid, process->gid);
        for (size_t i = capabilities + 1; i < plan->n_steps; i++)
                if (!is_for_anybody(plan->steps[i].op))
                        FAIL_AT("%s after capabilities", init_op_name(plan->steps[i].op));
        ASSERT_EQ(count(plan, INIT_NO_NEW_PRIVS, &no_new_privs), process->no_new_privileges);
        ASSERT_EQ(count(plan, INIT_EXEC, &exec), process->args != NULL);
        if (process->args)
                ASSERT_EQ(exec, plan->n_steps - 1);
}

static void check_filter(const InitPlan *plan, const Spec *spec, const SpecProcess *process) {
        size_t seccomp = 0, other = 0, n;

        if (!spec->linux_.seccomp || !process->args)
                return;
        n = count(plan, INIT_SECCOMP, &seccomp);
        ASSERT(!plan->steps[seccomp].seccomp.of_hooks);
        for (size_t i = 0; i < seccomp; i++)
                n -= plan->steps[i].op == INIT_SECCOMP && plan->steps[i].seccomp.of_hooks; /* that of hooks */
        ASSERT_EQ(n, 1);
        if (process->no_new_privileges)
                ASSERT(count(plan, INIT_NO_NEW_PRIVS, &other) == 1 && other < seccomp);
        else
                ASSERT(count(plan, INIT_CAPABILITIES, &other) == 1 && seccomp < other);
}

/* Each path is covered, and after the root has become "/": what is mounted later could uncover it. */
static void check_paths(const InitPlan *plan, InitOp op, const char **paths, size_t pivot) {
        size_t n = 0, found = 0;

        while (paths[n])
                n++;
        for (size_t i = pivot + 1; i < plan->n_steps; i++)
                found += plan->steps[i].op == op;
        ASSERT_EQ(found, n);
}

/* In a mount namespace of others nothing is done to the rootfs; whose root it was, is when it is back there. */
static void check_handed_over(const InitPlan *plan, size_t detach) {
        ASSERT_EQ(plan->steps[detach + 1].op, INIT_JOIN);
        ASSERT_EQ(plan->steps[detach + 1].join.type, CLONE_NEWNS);
        ASSERT_EQ(plan->steps[detach + 2].op, INIT_CHROOT);
        for (size_t i = detach; i < plan->n_steps; i++)
                ASSERT(!target_of(&plan->steps[i]));
}

/* What is in the rootfs is opened from its descriptor alone. */
static void check_sources(const InitPlan *plan, size_t rootfs) {
        const char *root = plan->steps[rootfs].rootfs.path;

        for (size_t i = 0; i < plan->n_steps; i++) {
                const InitStep *s = &plan->steps[i];
                bool bind = s->op == INIT_BIND;
                const char *source = bind ? s->bind.source : s->op == INIT_OPEN_TREE ? s->open_tree.path : NULL;

                if (!source)
                        continue;
                if ((bind ? s->bind.extra : s->open_tree.extra) & INIT_SOURCE_IN_ROOT)
                        ASSERT(i > rootfs && source[0] == '/');
                else
                        ASSERT(streq(root, "/") || !path_beyond(source, root));
        }
}

static void check_root(const InitPlan *plan, const Spec *spec) {
        const SpecNamespace *mounts = spec_namespace(spec, CLONE_NEWNS);
        size_t pivot = 0, detach = plan->n_steps, rootfs = 0, ignored, handed_over = count(plan, INIT_DETACH, &detach);

        ASSERT_EQ(count(plan, INIT_PIVOT, &pivot) + count(plan, INIT_MOVE_ROOT, &pivot) +
                  count(plan, INIT_CHROOT, &pivot), 1 + handed_over);
        if (handed_over) {
                ASSERT(mounts && mounts->path);
                check_handed_over(plan, detach);
                for (pivot = 0; plan->steps[pivot].op != INIT_CHROOT;)
                        pivot++;
        }
        ASSERT_EQ(count(plan, INIT_ROOTFS, &rootfs), 1);
        check_sources(plan, rootfs);
        for (size_t i = pivot; i < plan->n_steps; i++) {
                InitOp op = plan->steps[i].op;

                if (handed_over && i == detach + 1)
                        continue;
                if (op == INIT_OPEN_NS || op == INIT_OPEN_TREE || op == INIT_OPEN_FS ||
                    (op == INIT_JOIN && plan->steps[i].join.type != CLONE_NEWPID) ||
                    op == INIT_MOUNT || op == INIT_BIND || op == INIT_DEVICE || op == INIT_DEVICE_BIND)
                        FAIL_AT("%s behind the pivot", init_op_name(op));
        }
        check_paths(plan, INIT_MASK, spec->linux_.masked_paths, pivot);
        check_paths(plan, INIT_READONLY, spec->linux_.readonly_paths, pivot);
        ASSERT_EQ(count(plan, INIT_SYSCTL, &ignored), spec->linux_.n_sysctl);
        ASSERT_EQ(count(plan, INIT_REMOUNT_ROOT, &ignored), spec->root_readonly);
}

/* A new namespace is either born with the process or in the plan, once. */
static void check_namespaces(const InitPlan *plan, const Spec *spec) {
        uint64_t made = (uint64_t) init_plan_clone_flags(spec), joined = 0;
        bool handed_over = init_plan_comes_to(plan, INIT_DETACH, INIT_EXEC);

        for (const InitStep *s = plan->steps; s < plan->steps + plan->n_steps; s++)
                if (s->op == INIT_UNSHARE || s->op == INIT_USERNS) {
                        uint64_t flags = s->op == INIT_USERNS ? CLONE_NEWUSER : s->unshare.flags;

                        if (handed_over) /* a copy of the one that is joined, for a while */
                                flags &= ~(uint64_t) CLONE_NEWNS;
                        ASSERT((made & flags) == 0);
                        made |= flags;
                } else if (s->op == INIT_JOIN) {
                        ASSERT((joined & s->join.type) == 0 || (handed_over && s->join.type == CLONE_NEWNS));
                        joined |= s->join.type;
                }
        for (size_t i = 0; i < spec->linux_.n_namespaces; i++) {
                const SpecNamespace *n = &spec->linux_.namespaces[i];

                ASSERT(((n->path ? joined : made) & (uint64_t) n->type) != 0);
                ASSERT(((n->path ? made : joined) & (uint64_t) n->type) == 0);
        }
}

void check_confinement(const InitPlan *plan, const Spec *spec, const SpecProcess *process) {
        size_t ready = 0, enter;
        bool exec = count(plan, INIT_ENTER, &enter) > 0;

        /* A process of exec goes on by itself when the launcher has nothing to do to it. */
        ASSERT(count(plan, INIT_READY, &ready) + exec - 1 <= exec);
        if (process) {
                check_privileges(plan, process);
                check_filter(plan, spec, process);
        }
        if (exec)
                return;
        check_root(plan, spec);
        check_namespaces(plan, spec);
}
