/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>

#include "basic/file.h"
#include "plan/init/internal.h"

/* Who gives himself up in a user namespace has no power over that of the host's any more. */
static bool joins_pid_early(const InitBuild *b) {
        return b->facts->privileged && build_has_userns(b) && !b->exec;
}

/* What would have to be mounted for it, where nothing may be. */
static const char *find_mounting(const InitBuild *b) {
        const Spec *spec = b->spec;
        const SpecLinux *l = &spec->linux_;

        if (b->has_credentials)
                return "CREDENTIALS_DIRECTORY";
        return spec->n_mounts > 0 ? "mounts[0]" :
               spec->root_readonly ? "root.readonly" :
               l->rootfs_propagation ? "linux.rootfsPropagation" :
               l->masked_paths[0] ? "linux.maskedPaths[0]" :
               l->readonly_paths[0] ? "linux.readonlyPaths[0]" :
               b->notifies ? "NOTIFY_SOCKET" : NULL;
}

/*
 * A mount namespace that is new is the container's alone. In one that exists, be it the runtime's, a copy of the rootfs
 * is mounted over it, and the rest in that; in one that is joined, when all is done (build_hand_over()). Where the rootfs
 * is the root of the namespace, whatever was mounted would change what others see: there it is taken as it is; and so it
 * is in the runtime's if there is nothing to mount.
 */
int build_check_namespaces(InitBuild *b) {
        bool joined = b->joined_namespaces & CLONE_NEWNS;
        bool is_root = streq(path_normalize(b->arena, b->bundle, b->spec->root_path), "/");
        const char *mounting;

        b->notifies = b->request->notifies && (!is_root || b->new_namespaces & CLONE_NEWNS);
        if (b->notifies != b->request->notifies)
                strings_add(b->arena, &b->plan->warnings, "NOTIFY_SOCKET: not for a container whose root is that of a mount "
                            "namespace that others are in");
        b->has_credentials = b->request->gift.n_credentials > 0;
        mounting = find_mounting(b);
        if (!b->facts->privileged && !build_has_userns(b))
                return error_setf(b->reterr, EOPNOTSUPP, "linux.namespaces: all that an ordinary user may do needs one of type "
                                  "\"user\" (as ocirt-sd spec --rootless writes it)");
        if (joins_pid_early(b) && build_goes_inside(b) && b->spec->hooks[HOOK_CREATE_CONTAINER].n > 0)
                return error_setf(b->reterr, EOPNOTSUPP, "hooks.createContainer: not with both a user namespace and a pid "
                                  "namespace that is joined: those in it would see programs of the host");
        if (joined && b->spec->hooks[HOOK_CREATE_CONTAINER].n > 0)
                return error_setf(b->reterr, EOPNOTSUPP, "hooks.createContainer: not with a mount namespace that is joined: "
                                  "programs of the host cannot be found there, and others would be taken for them");
        if (b->new_namespaces & CLONE_NEWNS)
                return 0;
        b->tree = !is_root && (joined || mounting) ? TREE_COPY : TREE_IN_PLACE;
        if (b->new_namespaces & CLONE_NEWUSER)
                return error_setf(b->reterr, EINVAL, "linux.namespaces: a new user namespace has no power over a mount "
                                  "namespace that exists; it needs a new one");
        if (is_root && mounting)
                return error_setf(b->reterr, EINVAL, "%s: would change the root of a mount namespace that others are in "
                                  "(root.path is \"/\")", mounting);
        return 0;
}

static const char *namespace_path(const InitBuild *b, size_t i) {
        return arena_printf(b->arena, "linux.namespaces[%zu].path", i);
}

/* Before anything else, while the paths are the host's. */
int build_open_namespaces(InitBuild *b, uint32_t types) {
        const SpecLinux *l = &b->spec->linux_;

        b->namespace_slots = arena_calloc(b->arena, l->n_namespaces, sizeof(*b->namespace_slots));
        for (size_t i = 0; i < l->n_namespaces; i++) {
                const SpecNamespace *n = &l->namespaces[i];
                int r;

                if (!n->path || !(types & (uint32_t) n->type))
                        continue;
                r = build_slot(b, &b->namespace_slots[i]);
                if (r < 0)
                        return r;
                *init_add_open_ns(b->plan, namespace_path(b, i)) = (InitOpenNs){
                        .path = n->path,
                        .slot = b->namespace_slots[i],
                        .type = n->type,
                };
        }
        return 0;
}

/* A path may lead to the namespace that we are in ourselves, and what is set there would be set on the host. */
static const char *settings_of(const InitBuild *b, int type) {
        const SpecLinux *l = &b->spec->linux_;

        if (type == CLONE_NEWUTS && !isempty(b->spec->hostname))
                return "hostname";
        if (type == CLONE_NEWUTS && !isempty(b->spec->domainname))
                return "domainname";
        for (size_t i = 0; i < l->n_sysctl; i++)
                if (spec_sysctl_namespace(l->sysctl[i].key) == type)
                        return "linux.sysctl";
        return NULL;
}

static void join(InitBuild *b, uint32_t types) {
        const SpecLinux *l = &b->spec->linux_;

        for (size_t i = 0; i < l->n_namespaces; i++) {
                const SpecNamespace *n = &l->namespaces[i];

                if (n->path && (types & (uint32_t) n->type))
                        *init_add_join(b->plan, namespace_path(b, i)) = (InitJoin){
                                .settings = settings_of(b, n->type),
                                .slot = b->namespace_slots[i],
                                .type = n->type,
                        };
        }
}

/* The ID that sets the container up: 0, or where it has no such user, its process's. */
static uint32_t pick_id(const SpecIdMap *maps, size_t n, uint32_t wanted) {
        const uint32_t ids[] = { 0, wanted };

        uint32_t host_id;

        for (size_t k = 0; k < ELEMENTSOF(ids); k++)
                if (spec_map_id(maps, n, ids[k], &host_id))
                        return ids[k];
        return n > 0 ? maps[0].container_id : 0;
}

static uint32_t pick_uid(const InitBuild *b) {
        const SpecLinux *l = &b->spec->linux_;

        return pick_id(l->uid_mappings, l->n_uid_mappings, b->process ? b->process->uid : 0);
}

void build_become_root(InitBuild *b, bool new) {
        const SpecLinux *l = &b->spec->linux_;
        uint32_t uid = pick_uid(b), gid = pick_id(l->gid_mappings, l->n_gid_mappings, b->process ? b->process->gid : 0);
        bool keep = build_keeps_groups(b);

        if (new)
                *init_add_userns(b->plan, NULL) = (InitUserns){ .uid = uid, .gid = gid, .keep_groups = keep };
        else
                *init_add_become_root(b->plan, NULL) = (InitBecomeRoot){ .uid = uid, .gid = gid, .keep_groups = keep };
}

int build_rejoin_mounts(InitBuild *b) {
        uint32_t user = b->facts->privileged ? 0 : CLONE_NEWUSER;
        int r = build_open_namespaces(b, CLONE_NEWNS | user);

        if (r < 0)
                return r;
        join(b, user);
        join(b, CLONE_NEWNS);
        return 0;
}

static void add_time_offsets(InitBuild *b) {
        const SpecTimeOffset *boottime = &b->spec->linux_.boottime, *monotonic = &b->spec->linux_.monotonic;

        if (boottime->set || monotonic->set)
                *init_add_time_offsets(b->plan, "linux.timeOffsets") = (InitTimeOffsets){
                        .boottime = boottime->secs,
                        .boottime_ns = boottime->nanosecs,
                        .monotonic = monotonic->secs,
                        .monotonic_ns = monotonic->nanosecs,
                };
}

int init_plan_clone_flags(const Spec *spec) {
        const SpecNamespace *pid = spec_namespace(spec, CLONE_NEWPID);

        /* A pid namespace belongs to the user namespace it is made in; and who is the first in it cannot leave that
         * to a child, which a time namespace needs. */
        return pid && !pid->path && !spec_namespace(spec, CLONE_NEWUSER) && !spec_namespace(spec, CLONE_NEWTIME) ?
                       CLONE_NEWPID : 0;
}

/* The time namespace is entered by a child, as a pid namespace is; a mount namespace is there already. */
static void unshare_and_fork(InitBuild *b, uint32_t types) {
        uint32_t unshared = (b->new_namespaces & types) | (build_hands_over(b) ? CLONE_NEWNS : 0);

        if (unshared)
                init_add_unshare(b->plan, "linux.namespaces")->flags = (int) unshared;
        if (unshared & CLONE_NEWTIME)
                add_time_offsets(b);
        if ((unshared & (CLONE_NEWPID | CLONE_NEWTIME)) && !build_goes_inside(b))
                init_add_fork(b->plan, NULL);
}

/* The systemd of an ordinary user takes processes of that user only, and who sets the container up may become another. */
static bool becomes_another(const InitBuild *b) {
        const SpecLinux *l = &b->spec->linux_;
        uint32_t uid;

        if (!b->facts->rootless || !build_has_userns(b))
                return false;
        return (b->joined_namespaces & CLONE_NEWUSER) ||
               !spec_map_id(l->uid_mappings, l->n_uid_mappings, pick_uid(b), &uid) || uid != b->facts->uid;
}

static void become_user(InitBuild *b) {
        if (b->new_namespaces & CLONE_NEWUSER)
                build_become_root(b, true);
        if (b->joined_namespaces & CLONE_NEWUSER) {
                join(b, CLONE_NEWUSER);
                build_become_root(b, false);
        }
}

/*
 * Joining asks for privileges over the user namespace that owns the namespace, which the runtime may have of its
 * own (root) or only within the user namespace that is joined (rootless). So root joins the others before it
 * gives itself up, as they need not all belong to that user namespace, and mounts there what shows them; and who is not
 * root joins that one first.
 *
 * A pid namespace that is joined is entered by a fork at the very end (build_go_inside()). Until then nothing that we fork
 * may land in it, so it is joined late, unless a user namespace takes away the power to.
 *
 * The cgroup namespace is not among the new ones: build_enter_cgroup(). What only a child enters comes last.
 */
int build_namespaces(InitBuild *b) {
        uint32_t new = ~(uint32_t) (CLONE_NEWUSER | CLONE_NEWCGROUP) & ~(uint32_t) init_plan_clone_flags(b->spec);
        uint32_t others = ~(uint32_t) (CLONE_NEWUSER | CLONE_NEWPID);
        bool first = b->facts->privileged || !(b->joined_namespaces & CLONE_NEWUSER);
        int r;

        if (becomes_another(b))
                build_wait_for_cgroup(b);
        if (b->facts->privileged)
                others &= ~(uint32_t) CLONE_NEWNS; /* build_enter_mounts() */
        if (first)
                join(b, others);
        r = build_open_joined(b);
        if (r < 0)
                return r;
        if (joins_pid_early(b))
                join(b, CLONE_NEWPID);
        become_user(b);
        if (!first)
                join(b, others);
        unshare_and_fork(b, new);
        return 0;
}

/* Who has a directory of a procfs open when its mounts go would have it without its masks, and in no user namespace that is
 * the host's. A container that may unmount is to be able to, and could take the masks off itself. */
static bool locks_mounts(const InitBuild *b) {
        return b->facts->privileged && !b->in_userns && !(b->capabilities.bounding & 1ULL << CAP_SYS_ADMIN);
}

void build_lock_mounts(InitBuild *b) {
        if (b->tree != TREE_OWN || !locks_mounts(b) || !find_mounting(b))
                return;
        init_add_lock_mounts(b->plan, NULL);
        build_propagation_again(b);
}

/* Who is in the mount namespace is not to see a procfs of the container's without its masks, nor by it a process of ours
 * with all that we may. So all is mounted in a copy of the namespace, and the rootfs taken back as a whole. It is attached
 * by others: who does that is in no pid namespace that the procfs may show. */
void build_hand_over(InitBuild *b) {
        init_add_detach(b->plan, "root.path")->locked = locks_mounts(b);
        join(b, CLONE_NEWNS);
        init_add_chroot(b->plan, "root.path");
}

void build_join_pid(InitBuild *b) {
        if (!joins_pid_early(b))
                join(b, CLONE_NEWPID);
}

/* The sources of mounts are looked up where the container will be. */
void build_enter_mounts(InitBuild *b) {
        if (b->facts->privileged)
                join(b, CLONE_NEWNS);
}

/* A session of its own, and what belongs to the new namespaces. Nothing here needs the mount tree. */
void build_session(InitBuild *b) {
        init_add_setsid(b->plan, NULL);
        if (!b->keeps_keyring)
                *init_add_keyring(b->plan, NULL) = (InitKeyring){
                        .name = b->keyring,
                        .shared = b->exec,
                        .in_userns = b->in_userns,
                };
        if (b->exec)
                return;
        if (b->new_namespaces & CLONE_NEWNET)
                init_add_loopback(b->plan, NULL);
        if (build_has_gate(b))
                init_add_make_gate(b->plan, NULL);
        if (b->spec->linux_.n_net_devices > 0)
                init_add_net_devices(b->plan, "linux.netDevices");
        if (!isempty(b->spec->hostname))
                init_add_hostname(b->plan, "hostname")->name = b->spec->hostname;
        if (!isempty(b->spec->domainname))
                init_add_domainname(b->plan, "domainname")->name = b->spec->domainname;
}
