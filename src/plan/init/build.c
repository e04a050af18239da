/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/init/build.h"

#include <linux/mount.h>
#include <sched.h>

#include "basic/file.h"
#include "plan/init/internal.h"

/* No file system would take the option, and nobody there would be kept from anything by it. */
static void check_mount_label(InitBuild *b) {
        if (!isempty(b->spec->linux_.mount_label) && !b->facts->selinux)
                strings_add(b->arena, &b->plan->warnings,
                            "linux.mountLabel: has no effect, as SELinux is not enabled on this host");
}

static const char *rootfs_path(const InitBuild *b) {
        return path_normalize(b->arena, b->bundle, b->spec->root_path);
}

/* What the rootfs is on must not be shared, and who has entered it need not find up there. But in the mount namespace of a
 * user namespace all is a slave already, and "/" would be shared with nobody. */
static void add_root_propagation(InitBuild *b, uint64_t cut) {
        bool shared = streq_null(b->spec->linux_.rootfs_propagation, "shared"), entered = build_enters_rootfs(b);

        *init_add_root_propagation(b->plan, "linux.rootfsPropagation") = (InitRootPropagation){
                .flags = shared && !entered ? MS_SHARED : cut,
                .opened = shared && entered ? MS_SHARED : 0,
        };
}

/* Whether later mounts of the host show up in the container, and the container's on the host (shared). The rootfs
 * itself gets its propagation when it is "/"; what is mounted in it has that too where the word begins with an "r". */
static void build_root(InitBuild *b) {
        const SpecLinux *l = &b->spec->linux_;
        const char *propagation = l->rootfs_propagation ?: "slave";
        bool private = l->rootfs_propagation_recursive && (streq(propagation, "private") || streq(propagation, "unbindable"));
        uint64_t cut = private ? MS_PRIVATE | MS_REC : MS_SLAVE | MS_REC;

        if (b->tree == TREE_OWN)
                add_root_propagation(b, cut);
        *init_add_rootfs(b->plan, "root.path") = (InitRootfs){
                .path = rootfs_path(b),
                .propagation = b->tree == TREE_IN_PLACE ? 0 : cut,
                .lasting = b->tree == TREE_COPY && !build_hands_over(b),
                .in_place = b->tree == TREE_IN_PLACE,
        };
}

static int add_readonly_paths(InitBuild *b, const char **paths) {
        int r = 0;

        for (size_t i = 0; r >= 0 && paths[i]; i++) {
                InitReadonly s = { .path = path_normalize(b->arena, "/", paths[i]) };

                r = build_look_up(b, s.path, &s.mount, &s.rest);
                *init_add_readonly(b->plan, arena_printf(b->arena, "linux.readonlyPaths[%zu]", i)) = s;
        }
        return r;
}

static int add_masked_paths(InitBuild *b, const char **paths) {
        int r = 0;

        for (size_t i = 0; r >= 0 && paths[i]; i++) {
                InitMask s = { .path = path_normalize(b->arena, "/", paths[i]), .null = b->null };

                r = build_look_up(b, s.path, &s.mount, &s.rest);
                *init_add_mask(b->plan, arena_printf(b->arena, "linux.maskedPaths[%zu]", i)) = s;
        }
        return r;
}

static void add_share_root(InitBuild *b, const char *word, uint64_t flags) {
        const SpecLinux *l = &b->spec->linux_;

        if (streq_null(l->rootfs_propagation, word))
                init_add_share_root(b->plan, "linux.rootfsPropagation")->flags =
                        flags | (l->rootfs_propagation_recursive ? MS_REC : 0);
}

/* Of "/", which is another mount when it is handed over, or locked. */
static void share_root(InitBuild *b) {
        add_share_root(b, "shared", MS_SHARED);
        if (!b->spec->linux_.rootfs_propagation_recursive)
                add_share_root(b, "private", MS_PRIVATE);
}

/* The file of the domain name is for root of the machine only. */
static void add_sysctl(InitBuild *b, const SpecKeyValue *s) {
        if (streq(s->key, "kernel/domainname"))
                init_add_domainname(b->plan, "linux.sysctl")->name = s->value;
        else
                *init_add_sysctl(b->plan, "linux.sysctl") = (InitSysctl){ .path = s->key, .value = s->value };
}

/* The rootfs becomes "/". Whatever makes something read-only comes after whatever might still write there. */
static int build_pivot(InitBuild *b) {
        const SpecLinux *l = &b->spec->linux_;
        int r;

        init_plan_add(b->plan, b->tree != TREE_OWN ? INIT_CHROOT : b->request->no_pivot ? INIT_MOVE_ROOT : INIT_PIVOT,
                      "root.path");
        if (b->process && !streq(b->process->cwd, "/"))
                init_add_mkdir(b->plan, NULL)->path = b->process->cwd;
        r = build_readonly_mounts(b);
        if (r < 0)
                return r;
        if (b->spec->root_readonly)
                init_add_remount_root(b->plan, "root.readonly")->attrs = MOUNT_ATTR_RDONLY;
        /* After the hooks, which may have made the network devices that they are about. */
        for (size_t i = 0; i < l->n_sysctl; i++)
                add_sysctl(b, &l->sysctl[i]);
        r = add_readonly_paths(b, l->readonly_paths);
        if (r >= 0)
                r = add_masked_paths(b, l->masked_paths);
        if (r < 0)
                return r;
        build_postponed_mounts(b, true);
        if (build_hands_over(b))
                build_hand_over(b);
        build_lock_mounts(b);
        share_root(b);
        add_share_root(b, "unbindable", MS_UNBINDABLE); /* what is read-only was bound, and what is handed over copied */
        return 0;
}

static int build_init(InitBuild *b) {
        int r;

        check_mount_label(b);
        r = build_check_namespaces(b);
        if (r >= 0)
                r = build_check_process(b);
        if (r >= 0)
                r = build_read_mounts(b);
        if (r >= 0)
                r = build_open_namespaces(b, ~0U);
        if (r >= 0)
                r = build_open_hook_logs(b);
        if (r < 0)
                return r;
        build_oom_score_adj(b);
        build_raise_rlimits(b);
        build_idmaps(b);
        build_enter_mounts(b);
        r = build_open_sources(b);
        if (r >= 0)
                r = build_open_devices(b);
        if (r < 0)
                return r;
        if (build_enters_rootfs(b))
                init_add_enter_rootfs(b->plan, "root.path")->path = rootfs_path(b);
        r = build_namespaces(b);
        if (r < 0)
                return r;
        build_session(b);
        build_root(b);
        r = build_mounts(b);
        if (r < 0)
                return r;
        r = build_devices(b);
        if (r < 0)
                return r;
        build_console(b);
        build_postponed_mounts(b, false);
        build_mount_hooks(b);
        r = build_pivot(b);
        if (r < 0)
                return r;
        if (b->new_namespaces & CLONE_NEWCGROUP)
                build_enter_cgroup(b); /* while we may unshare */
        build_join_pid(b);
        build_process(b);
        build_command(b);
        return 0;
}

/* Into the namespaces of a container that runs. The cgroup comes first: what is forked in the end is born in it. */
static int build_exec(InitBuild *b) {
        const SpecProcess *p = b->process;
        uint32_t namespaces = b->joined_namespaces;
        int r;

        r = build_check_process(b);
        if (r < 0)
                return r;
        build_oom_score_adj(b);
        build_raise_rlimits(b);
        build_enter_cgroup(b);
        if (p->cpu_affinity_final)
                init_add_affinity(b->plan, "process.execCPUAffinity.final")->cpus = p->cpu_affinity_final;
        init_add_enter(b->plan, NULL)->flags = (int) namespaces;
        if (namespaces & CLONE_NEWUSER)
                build_become_root(b, false);
        if (!init_plan_has_own_root(b->spec))
                init_add_chroot(b->plan, NULL)->handed_over = true;
        build_session(b);
        build_console(b);
        build_process(b);
        build_command(b);
        return 0;
}

bool init_plan_has_own_root(const Spec *spec) {
        const SpecNamespace *mount = spec_namespace(spec, CLONE_NEWNS);

        return mount && !mount->path;
}

static InitBuild begin(const Spec *spec, const HostFacts *facts, InitPlan *plan, Error *reterr) {
        for (size_t i = 0; i < spec->warnings.n; i++)
                strings_add(&plan->arena, &plan->warnings, spec->warnings.s[i]);
        return (InitBuild){ .spec = spec, .facts = facts, .plan = plan, .arena = &plan->arena, .reterr = reterr };
}

static int finish(int r, InitPlan *plan, InitPlan *ret) {
        if (r < 0) {
                init_plan_done(plan);
                return r;
        }
        *ret = *plan;
        return 0;
}

int init_plan_build(const Spec *spec, const Request *request, const HostFacts *facts, InitPlan *ret, Error *reterr) {
        InitPlan plan = {};
        InitBuild b = begin(spec, facts, &plan, reterr);

        b.request = request;
        b.waits = true;
        b.process = spec->process;
        b.id = request->id;
        b.bundle = request->bundle;
        b.keeps_keyring = !request->keyring;
        b.keyring = request->keyring;
        b.seccomp = request->seccomp;
        b.seccomp_size = request->seccomp_size;
        b.preserve_fds = request->preserve_fds;
        b.listen_fds = request->listen_fds;
        b.listen_fd_names = request->listen_fd_names;
        b.stdio = request->stdio;
        b.launcher_stays = request->launcher_stays;
        for (size_t i = 0; i < spec->linux_.n_namespaces; i++) {
                const SpecNamespace *n = &spec->linux_.namespaces[i];

                *(n->path ? &b.joined_namespaces : &b.new_namespaces) |= (uint32_t) n->type;
        }
        b.in_userns = facts->own_userns || spec_namespace(spec, CLONE_NEWUSER);
        return finish(build_init(&b), &plan, ret);
}

int init_plan_build_exec(const Spec *spec, const ExecRequest *request, const HostFacts *facts, InitPlan *ret,
                         Error *reterr) {
        InitPlan plan = {};
        InitBuild b = begin(spec, facts, &plan, reterr);

        b.exec = true;
        b.waits = request->waits || !(request->namespaces & CLONE_NEWPID);
        b.joined_namespaces = (uint32_t) request->namespaces;
        b.in_userns = facts->own_userns || request->namespaces & CLONE_NEWUSER;
        b.process = request->process;
        b.keyring = request->keyring;
        b.seccomp = request->seccomp;
        b.seccomp_size = request->seccomp_size;
        b.preserve_fds = request->preserve_fds;
        b.listen_fds = request->listen_fds;
        b.listen_fd_names = request->listen_fd_names;
        b.stdio = request->stdio;
        b.launcher_stays = request->launcher_stays;
        b.journal = request->journal;
        return finish(build_exec(&b), &plan, ret);
}

int init_plan_build_attach(const Spec *spec, const HostFacts *facts, const char *rootfs, InitPlan *ret, Error *reterr) {
        InitPlan plan = {};
        InitBuild b = begin(spec, facts, &plan, reterr);
        int r;

        r = build_rejoin_mounts(&b);
        if (r >= 0) {
                init_add_attach(&plan, "root.path")->path = rootfs;
                init_add_ready(&plan, NULL);
        }
        return finish(r, &plan, ret);
}

int init_plan_build_unmount(const Spec *spec, const HostFacts *facts, const char *rootfs, uint64_t id, InitPlan *ret,
                            Error *reterr) {
        InitPlan plan = {};
        InitBuild b = begin(spec, facts, &plan, reterr);
        int r;

        r = build_rejoin_mounts(&b);
        if (r >= 0)
                *init_add_unmount(&plan, NULL) = (InitUnmount){ .path = rootfs, .id = id };
        return finish(r, &plan, ret);
}
