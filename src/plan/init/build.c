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
        InitStep *step = add_for(b, INIT_ROOT_PROPAGATION, "linux.rootfsPropagation");
        bool shared = streq_null(b->spec->linux_.rootfs_propagation, "shared"), entered = build_enters_rootfs(b);

        step->num[0] = shared && !entered ? MS_SHARED : cut;
        step->num[1] = shared && entered ? MS_SHARED : 0;
}

/* Whether later mounts of the host show up in the container, and the container's on the host (shared). The rootfs
 * itself gets its propagation when it is "/"; what is mounted in it has that too where the word begins with an "r". */
static void build_root(InitBuild *b) {
        const SpecLinux *l = &b->spec->linux_;
        const char *propagation = l->rootfs_propagation ?: "slave";
        bool private = l->rootfs_propagation_recursive && (streq(propagation, "private") || streq(propagation, "unbindable"));
        uint64_t cut = private ? MS_PRIVATE | MS_REC : MS_SLAVE | MS_REC;
        InitStep *step;

        if (b->tree == TREE_OWN)
                add_root_propagation(b, cut);
        step = add_for(b, INIT_ROOTFS, "root.path");
        if (b->tree != TREE_IN_PLACE)
                step->num[0] = cut;
        step->num[1] = b->tree == TREE_COPY && !build_hands_over(b);
        step->num[2] = b->tree == TREE_IN_PLACE;
        step->str[0] = rootfs_path(b);
}

static int add_paths(InitBuild *b, InitOp op, const char *property, const char **paths) {
        InitStep *step;
        int r = 0;

        for (size_t i = 0; r >= 0 && paths[i]; i++) {
                r = build_look_up(b, op, arena_printf(b->arena, "linux.%s[%zu]", property, i),
                                  path_normalize(b->arena, "/", paths[i]), &step);
                if (r >= 0 && op == INIT_MASK)
                        step->num[1] = b->null;
        }
        return r;
}

static void add_share_root(InitBuild *b, const char *word, uint64_t flags) {
        const SpecLinux *l = &b->spec->linux_;

        if (streq_null(l->rootfs_propagation, word))
                add_for(b, INIT_SHARE_ROOT, "linux.rootfsPropagation")->num[0] =
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
        InitStep *step;

        if (streq(s->key, "kernel/domainname")) {
                add_for(b, INIT_DOMAINNAME, "linux.sysctl")->str[0] = s->value;
                return;
        }
        step = add_for(b, INIT_SYSCTL, "linux.sysctl");
        step->str[0] = s->key;
        step->str[1] = s->value;
}

/* The rootfs becomes "/". Whatever makes something read-only comes after whatever might still write there. */
static int build_pivot(InitBuild *b) {
        const SpecLinux *l = &b->spec->linux_;
        int r;

        add_for(b, b->tree != TREE_OWN ? INIT_CHROOT : b->request->no_pivot ? INIT_MOVE_ROOT : INIT_PIVOT, "root.path");
        if (b->process && !streq(b->process->cwd, "/"))
                add(b, INIT_MKDIR)->str[0] = b->process->cwd;
        r = build_readonly_mounts(b);
        if (r < 0)
                return r;
        if (b->spec->root_readonly)
                add_for(b, INIT_REMOUNT_ROOT, "root.readonly")->num[0] = MOUNT_ATTR_RDONLY;
        /* After the hooks, which may have made the network devices that they are about. */
        for (size_t i = 0; i < l->n_sysctl; i++)
                add_sysctl(b, &l->sysctl[i]);
        r = add_paths(b, INIT_READONLY, "readonlyPaths", l->readonly_paths);
        if (r >= 0)
                r = add_paths(b, INIT_MASK, "maskedPaths", l->masked_paths);
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
                add_for(b, INIT_ENTER_ROOTFS, "root.path")->str[0] = rootfs_path(b);
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
                add_for(b, INIT_AFFINITY, "process.execCPUAffinity.final")->str[0] = p->cpu_affinity_final;
        add(b, INIT_ENTER)->num[0] = namespaces;
        if (namespaces & CLONE_NEWUSER)
                build_become_root(b, INIT_BECOME_ROOT);
        if (!init_plan_has_own_root(b->spec))
                add(b, INIT_CHROOT)->num[0] = 1;
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
        b.sockets = request->sockets;
        b.files = request->files;
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
        b.sockets = request->sockets;
        b.files = request->files;
        b.launcher_stays = request->launcher_stays;
        return finish(build_exec(&b), &plan, ret);
}

int init_plan_build_attach(const Spec *spec, const HostFacts *facts, const char *rootfs, InitPlan *ret, Error *reterr) {
        InitPlan plan = {};
        InitBuild b = begin(spec, facts, &plan, reterr);
        int r;

        r = build_rejoin_mounts(&b);
        if (r >= 0) {
                add_for(&b, INIT_ATTACH, "root.path")->str[0] = rootfs;
                add(&b, INIT_READY);
        }
        return finish(r, &plan, ret);
}

int init_plan_build_unmount(const Spec *spec, const HostFacts *facts, const char *rootfs, uint64_t id, InitPlan *ret,
                            Error *reterr) {
        InitPlan plan = {};
        InitBuild b = begin(spec, facts, &plan, reterr);
        InitStep *step;
        int r;

        r = build_rejoin_mounts(&b);
        if (r >= 0) {
                step = add(&b, INIT_UNMOUNT);
                step->num[0] = id;
                step->str[0] = rootfs;
        }
        return finish(r, &plan, ret);
}
