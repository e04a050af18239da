/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Makes an init plan from parts of a config.json and checks what holds for all of them. */
#include <errno.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/resource.h>

#include "plan/init/build.h"
#include "test.h"

/* config.json of which only the parts that matter to a test are given. */
typedef struct Config {
        const char *process;     /* more properties of process, each with a comma before it */
        const char *cwd, *env;
        const char *no_process;  /* instead of "process": {…} */
        const char *namespaces;  /* more of them; or with all_namespaces all */
        bool all_namespaces;
        const char *mounts;      /* all of them */
        const char *root;        /* more properties of root */
        const char *linux_;      /* more properties of linux */
        const char *top;         /* more properties at the top */
        HostFacts facts;
        Request request;
} Config;

typedef struct Built {
        Spec *spec;
        InitPlan plan;
        Text text;
        Error error;
        int r;
} Built;

static inline void built_done(Built *b) {
        spec_free(b->spec);
        init_plan_done(&b->plan);
        text_done(&b->text);
        error_done(&b->error);
}
#define _cleanup_built_ _cleanup_(built_done)

#define PROC "{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"}"
#define SYS "{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\",\"options\":[\"ro\"]}"
#define CGROUP "{\"destination\":\"/sys/fs/cgroup\",\"type\":\"cgroup\",\"source\":\"cgroup\",\"options\":[\"ro\"]}"
#define DEV "{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"nosuid\",\"mode=755\"]}"
#define BIND(to) "{\"destination\":\"" to "\",\"type\":\"bind\",\"source\":\"data\",\"options\":[\"rbind\",\"ro\"]}"
#define MOUNT(to, type, ...) \
        "{\"destination\":\"" to "\",\"type\":\"" type "\",\"source\":\"s\",\"options\":[" __VA_ARGS__ "]}"
#define USER ",{\"type\":\"user\"}"
#define PID ",{\"type\":\"pid\"}"
#define JOINED(type) ",{\"type\":\"" type "\",\"path\":\"/proc/7/ns/" type "\"}"
#define HOOK(kind) "\"" kind "\":[{\"path\":\"/bin/hook\"}]"
#define MAPS                                                                  \
        ",\"uidMappings\":[{\"containerID\":0,\"hostID\":1000,\"size\":10}]," \
        "\"gidMappings\":[{\"containerID\":0,\"hostID\":1000,\"size\":10}]"
#define OWN_MAPS                                                             \
        ",\"uidMappings\":[{\"containerID\":0,\"hostID\":1000,\"size\":1}]," \
        "\"gidMappings\":[{\"containerID\":0,\"hostID\":1000,\"size\":1}]"

static inline Spec *parse(const Config *c) {
        _cleanup_error_ Error error = {};
        _cleanup_text_ Text json = {};
        Spec *spec;

        text_addf(&json, "{\"ociVersion\":\"1.0.2\",\"root\":{%s%s},\"mounts\":[%s],",
                  c->root && strstr(c->root, "path") ? "" : "\"path\":\"rootfs\"",
                  c->root && strstr(c->root, "path") ? c->root + 1 : c->root ?: "", c->mounts ?: PROC "," DEV);
        if (c->no_process)
                text_add(&json, c->no_process);
        else
                text_addf(&json, "\"process\":{\"cwd\":\"%s\",\"args\":[\"sh\"],\"env\":[%s]%s},", c->cwd ?: "/",
                          c->env ?: "\"A=1\"", c->process ?: "");
        text_addf(&json, "\"linux\":{\"namespaces\":[%s%s]%s}%s}",
                  c->all_namespaces ? "" : "{\"type\":\"mount\"}", c->namespaces ?: "", c->linux_ ?: "",
                  c->top ?: "");
        if (spec_parse(json.s, json.n, &spec, &error) < 0)
                FAIL_AT("%s\n%s", error.message, json.s);
        return spec;
}

static inline int first(const InitPlan *plan, InitOp op) {
        for (size_t i = 0; i < plan->n_steps; i++)
                if (plan->steps[i].op == op)
                        return (int) i;
        return -1;
}

static inline unsigned count(const InitPlan *plan, InitOp op) {
        unsigned n = 0;

        for (size_t i = 0; i < plan->n_steps; i++)
                n += plan->steps[i].op == op;
        return n;
}

/* The steps are in this order, those that are there at all: every one of one group before every one of the next. */
static inline void assert_before(const Built *b, InitOp a, InitOp z) {
        int last_a = -1, first_z = first(&b->plan, z);

        for (size_t i = 0; i < b->plan.n_steps; i++)
                if (b->plan.steps[i].op == a)
                        last_a = (int) i;
        if (last_a >= 0 && first_z >= 0 && last_a > first_z)
                FAIL_AT("%s comes after %s:\n%s", init_op_name(a), init_op_name(z), b->text.s);
}

static inline void assert_order(const Built *b, const InitOp *ops, size_t n) {
        for (size_t i = 0; i < n; i++)
                for (size_t k = i + 1; k < n; k++)
                        assert_before(b, ops[i], ops[k]);
}
#define ASSERT_ORDER(b, ...) \
        assert_order(b, (const InitOp[]){ __VA_ARGS__ }, sizeof((const InitOp[]){ __VA_ARGS__ }) / sizeof(InitOp))

static inline int step_unsharing(const InitPlan *plan, int flag) {
        for (size_t i = 0; i < plan->n_steps; i++)
                if (plan->steps[i].op == INIT_UNSHARE && (plan->steps[i].unshare.flags & flag))
                        return (int) i;
        return -1;
}

static inline void check_cgroup(const Built *b, const Config *c) {
        int wait = first(&b->plan, INIT_WAIT_CGROUP), cgroup_ns = step_unsharing(&b->plan, CLONE_NEWCGROUP);

        ASSERT_EQ(count(&b->plan, INIT_WAIT_CGROUP), c->facts.cgroup_disabled ? 0 : 1);
        ASSERT_ORDER(b, INIT_WAIT_CGROUP, INIT_CGROUP);
        ASSERT_ORDER(b, INIT_WAIT_CGROUP, INIT_RUNTIME_HOOKS, INIT_HOOK);
        ASSERT_ORDER(b, INIT_WAIT_CGROUP, INIT_RUNTIME_HOOKS, INIT_READY);
        ASSERT(cgroup_ns < 0 || cgroup_ns > wait);
        for (size_t i = 0; i < b->plan.n_steps; i++) {
                const InitStep *s = &b->plan.steps[i];

                if (s->op != INIT_CGROUP)
                        continue;
                ASSERT(cgroup_ns < (int) i);
                ASSERT(s->cgroup.own_namespace || (int) i < first(&b->plan, INIT_PIVOT));
        }
}

/* Before the filter and the capabilities' end, but for a limit of too few files. */
static inline void check_rlimits(const Built *b) {
        int seccomp = first(&b->plan, INIT_SECCOMP), capabilities = first(&b->plan, INIT_CAPABILITIES);

        ASSERT_ORDER(b, INIT_FIND, INIT_RLIMIT, INIT_EXEC);
        for (size_t i = 0; i < b->plan.n_steps; i++) {
                const InitRlimit *s = &b->plan.steps[i].rlimit;
                bool few = s->resource == RLIMIT_NOFILE && s->soft < 100;
                int fork = first(&b->plan, INIT_FORK_INSIDE);
                bool forked = s->resource == RLIMIT_NPROC && fork >= 0 && (int) i > fork;

                if (b->plan.steps[i].op == INIT_RLIMIT && !few && !forked)
                        ASSERT((int) i < capabilities && (seccomp < 0 || (int) i < seccomp));
        }
}

/* Sources on the host, and those in the rootfs. */
static inline void check_sources(const Built *b) {
        int userns = first(&b->plan, INIT_USERNS), rootfs = first(&b->plan, INIT_ROOTFS), locks = 0;

        for (int i = 0; i < (int) b->plan.n_steps; i++) {
                const InitStep *s = &b->plan.steps[i];

                if (s->op != INIT_OPEN_TREE)
                        continue;
                ASSERT(s->open_tree.extra & INIT_SOURCE_IN_ROOT ? i > rootfs
                                                                : i < rootfs && (userns < 0 || i < userns));
                if (s->open_tree.extra & INIT_LOCKED) {
                        ASSERT(i < first(&b->plan, INIT_LOCK_SOURCES));
                        locks = 1;
                }
        }
        ASSERT_EQ(count(&b->plan, INIT_LOCK_SOURCES), locks);
}

static inline void check_process(const Built *b, const Config *c) {
        const InitPlan *p = &b->plan;
        int seccomp = first(p, INIT_SECCOMP);

        ASSERT_ORDER(b, INIT_STDIO_OWNER, INIT_APPARMOR, INIT_SELINUX, INIT_BOUNDING, INIT_USER, INIT_CWD, INIT_FIND,
                     INIT_CAPABILITIES, INIT_NO_NEW_PRIVS, INIT_FORK_INSIDE, INIT_READY, INIT_GATE, INIT_EXEC);
        check_rlimits(b);
        ASSERT_ORDER(b, INIT_MEMORY_POLICY, INIT_USER);
        if (first(p, INIT_FORK_INSIDE) < 0) {
                ASSERT_ORDER(b, INIT_SCHEDULER, INIT_USER);
                ASSERT_ORDER(b, INIT_IO_PRIORITY, INIT_USER);
        }
        ASSERT_EQ(seccomp >= 0, c->request.seccomp != NULL);
        if (seccomp >= 0 && first(p, INIT_NO_NEW_PRIVS) >= 0)
                ASSERT_ORDER(b, INIT_NO_NEW_PRIVS, INIT_SECCOMP);
        else if (seccomp >= 0)
                ASSERT_EQ(p->steps[seccomp + 1].op, INIT_CAPABILITIES);
        ASSERT_EQ(p->steps[p->n_steps - 1].op, first(p, INIT_FIND) >= 0 ? INIT_EXEC : INIT_GATE);
        ASSERT_EQ(count(p, INIT_GATE), c->request.start_now ? 0 : 1);
}

/* What holds for every plan, whatever the configuration. */
static inline void check_invariants(const Built *b, const Config *c) {
        static const InitOp host[] = { INIT_OPEN_NS, INIT_IDMAP, INIT_OOM_SCORE_ADJ, INIT_RAISE_RLIMIT };
        static const InitOp namespaces[] = { INIT_JOIN, INIT_USERNS, INIT_UNSHARE, INIT_FORK, INIT_SETSID };
        static const InitOp mounts[] = { INIT_BIND, INIT_MOUNT, INIT_DEVICE, INIT_DEVICE_BIND, INIT_SYMLINK };
        static const InitOp last[] = { INIT_SYSCTL, INIT_READONLY, INIT_MASK, INIT_REMOUNT_ROOT, INIT_USER };
        _cleanup_(init_plan_done) InitPlan back = {};
        bool own_root = init_plan_has_own_root(b->spec);
        _cleanup_text_ Text bytes = {};

        for (size_t i = 0; i < ELEMENTSOF(host) && own_root; i++)
                for (size_t k = 0; k < ELEMENTSOF(namespaces); k++)
                        assert_before(b, host[i], namespaces[k]);
        ASSERT_EQ(step_unsharing(&b->plan, CLONE_NEWNS) >= 0, own_root || first(&b->plan, INIT_DETACH) >= 0);
        ASSERT_EQ(first(&b->plan, INIT_ROOT_PROPAGATION) >= 0, own_root);
        ASSERT(!own_root || step_unsharing(&b->plan, CLONE_NEWNS) <= first(&b->plan, INIT_ROOT_PROPAGATION));
        ASSERT(step_unsharing(&b->plan, CLONE_NEWNS) < first(&b->plan, INIT_ROOTFS));
        ASSERT_ORDER(b, INIT_LOCK_SOURCES, INIT_OPENER, INIT_ENTER_ROOTFS, INIT_USERNS, INIT_BECOME_ROOT, INIT_ROOTFS);
        ASSERT_ORDER(b, INIT_IDMAP, INIT_OPEN_FS, INIT_USERNS, INIT_ROOTFS);
        ASSERT_ORDER(b, INIT_IDMAP, INIT_OPEN_TREE);
        check_sources(b);
        ASSERT(count(&b->plan, INIT_FORK) + count(&b->plan, INIT_FORK_INSIDE) <= 1);
        ASSERT_ORDER(b, INIT_USERNS, INIT_TIME_OFFSETS, INIT_FORK, INIT_SETSID);
        ASSERT_ORDER(b, INIT_MOUNT, INIT_HOOK, INIT_FORK_INSIDE);
        for (size_t i = 0; i < ELEMENTSOF(mounts); i++) {
                ASSERT_ORDER(b, INIT_ROOT_PROPAGATION, INIT_ROOTFS, mounts[i]);
                ASSERT_ORDER(b, mounts[i], INIT_CONSOLE, INIT_RUNTIME_HOOKS, INIT_PIVOT);
                ASSERT_ORDER(b, mounts[i], INIT_CONSOLE, INIT_DETACH);
        }
        for (size_t i = 0; i < ELEMENTSOF(last); i++) {
                ASSERT_ORDER(b, INIT_PIVOT, last[i]);
                if (last[i] != INIT_USER)
                        assert_before(b, last[i], INIT_DETACH);
        }
        ASSERT_ORDER(b, INIT_CGROUP, INIT_DETACH, INIT_USER);
        ASSERT_ORDER(b, INIT_PIVOT, INIT_SHARE_ROOT, INIT_USER);
        ASSERT_ORDER(b, INIT_MKDIR, INIT_REMOUNT_ROOT, INIT_SYSCTL, INIT_READONLY, INIT_MASK,
                     INIT_USER);
        check_cgroup(b, c);
        check_process(b, c);
        init_plan_encode(&b->plan, &bytes);
        ASSERT_EQ(init_plan_decode(bytes.s, bytes.n, &back), 0);
        ASSERT_EQ(back.n_steps, b->plan.n_steps);
}

static inline Built build_any(const Config *c) {
        Built b = { .spec = parse(c) };
        Request request = c->request;

        request.id = "c1";
        request.bundle = "/b";
        b.r = init_plan_build(b.spec, &request, &c->facts, &b.plan, &b.error);
        init_plan_print(&b.plan, &b.text);
        return b;
}

static inline Built build(const Config *c) {
        Built b = build_any(c);

        if (b.r < 0)
                FAIL_AT("%s", b.error.message);
        check_invariants(&b, c);
        return b;
}
#define BUILD(...) build(&(Config){ __VA_ARGS__ })

/* The devices that every container has, made for a user namespace: the slots, and the id of its root. */
#define NODE(slot, device, id) \
        "open-node slot=" #slot " type=c " device " mode=0666 uid=" #id " gid=" #id " options=[mode=711]\n"
#define NODES(a, b, c, d, e, f, id)                                                                     \
        NODE(a, "major=1 minor=3", id) NODE(b, "major=1 minor=5", id) NODE(c, "major=1 minor=7", id)    \
        NODE(d, "major=1 minor=8", id) NODE(e, "major=1 minor=9", id) NODE(f, "major=5 minor=0", id)

static inline void assert_contains(const Built *b, const char *lines) {
        if (!strstr(b->text.s, lines))
                FAIL_AT("expected:\n%s\nin:\n%s", lines, b->text.s);
}

static inline void assert_has(const Built *b, const char *line) {
        size_t n = strlen(line);

        for (const char *p = b->text.s; *p; p = strchr(p, '\n') + 1)
                if (strncmp(p, line, n) == 0 && (p[n] == '\n' || p[n] == ' '))
                        return;
        FAIL_AT("no line \"%s\" in:\n%s", line, b->text.s);
}

static inline void refuse(const Config *c, int code, const char *beginning) {
        _cleanup_built_ Built b = build_any(c);

        ASSERT_EQ(b.r, -code);
        if (!startswith(b.error.message, beginning))
                FAIL_AT("\"%s\" does not begin with \"%s\"", b.error.message, beginning);
}
#define REFUSE(code, beginning, ...) refuse(&(Config){ __VA_ARGS__ }, code, beginning)

static const HostFacts root = { .privileged = true, .cgroup_mount = "/sys/fs/cgroup" };
