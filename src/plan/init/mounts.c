/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <linux/mount.h>
#include <sched.h>

#include "basic/file.h"
#include "plan/init/internal.h"

/* The slot of the one that is joined: we are not in it when we mount its procfs. */
static InitSlot shown_pid_namespace(const InitBuild *b, const BuildMount *m) {
        const SpecLinux *l = &b->spec->linux_;

        for (size_t i = 0; i < l->n_namespaces; i++)
                if (l->namespaces[i].type == CLONE_NEWPID && l->namespaces[i].path && streq(m->spec->type, "proc"))
                        return b->namespace_slots[i];
        return 0;
}

/* Made without a target, before it is attached as a bind mount is. */
static int add_open_fs(InitBuild *b, BuildMount *m) {
        int r = build_slot(b, &m->slot);

        if (r < 0)
                return r;
        *init_add_open_fs(b->plan, m->origin) = (InitOpenFs){
                .type = m->spec->type,
                .source = m->source,
                .slot = m->slot,
                .super = m->o.super,
                .idmap = m->idmap,
                .pid_namespace = shown_pid_namespace(b, m),
                .options = m->o.data,
        };
        return 0;
}

static void add_open_tree(InitBuild *b, BuildMount *m) {
        *init_add_open_tree(b->plan, m->origin) = (InitOpenTree){
                .path = m->source,
                .slot = m->slot,
                .extra = m->extra & INIT_OF_SOURCE,
                .idmap = m->idmap,
                .idmap_recursive = m->o.ridmap,
                .attrs = m->o.attrs.set,
                .clear = m->o.attrs.clear,
                .recursive_attrs = m->o.recursive.set,
                .recursive_clear = m->o.recursive.clear,
        };
        m->extra &= ~INIT_OF_SOURCE;
        m->o.attrs = m->o.recursive = (MountAttrs){};
}

/* The rootfs comes later than what is opened on the host. Mounts happen in the order of the list, and one may be there by
 * then. */
static bool opens_in_turn(const BuildMount *m) {
        return m->slot && (m->extra & INIT_SOURCE_IN_ROOT);
}

/* With the host: what the container mounts there shows there, too. */
static bool is_shared(const InitBuild *b, const BuildMount *m) {
        return streq_null(b->spec->linux_.rootfs_propagation, "shared") &&
               !((m->o.propagation | m->o.top_propagation) & (MS_SLAVE | MS_PRIVATE | MS_UNBINDABLE));
}

static int open_source(InitBuild *b, BuildMount *m) {
        int r = build_slot(b, &m->slot);

        if (r >= 0 && !opens_in_turn(m))
                add_open_tree(b, m);
        return r;
}

/* Only who has power over a file system may map its owners, and the root of a user namespace may not be able to read
 * what the host's root may. (And should not, where others say what is at a path.) But he could take off mounts what the host
 * has put on, if they were not locked; and locked ones are not shared. */
int build_open_sources(InitBuild *b) {
        bool privileged = build_has_userns(b) && b->facts->privileged, all = privileged && b->tree == TREE_OWN;
        bool locks = false, later = false;

        for (BuildMount *m = b->mounts; m < b->mounts + b->n_mounts; m++) {
                bool taken;
                int r = 0;

                if (all && m->kind == KIND_BIND && !(m->extra & INIT_SOURCE_IN_ROOT) && !is_shared(b, m))
                        m->extra |= INIT_LOCKED;
                locks = locks || (m->extra & INIT_LOCKED);
                if (m->kind == KIND_NEW && m->idmap)
                        r = add_open_fs(b, m);
                else if (m->kind == KIND_BIND && (all || m->idmap))
                        r = open_source(b, m);
                if (r < 0)
                        return r;
                later = later || opens_in_turn(m);
                /* Taken from a mount namespace of others, it would still share mounts with it. */
                taken = (m->slot && !opens_in_turn(m)) || b->tree != TREE_OWN;
                if (m->kind == KIND_BIND && taken && m->o.propagation == 0 && !is_shared(b, m))
                        m->o.propagation = MS_SLAVE | MS_REC;
        }
        if (locks)
                init_add_lock_sources(b->plan, NULL);
        if (later && privileged)
                init_add_opener(b->plan, NULL);
        return 0;
}

/* A file system that shows a namespace shows that of who mounts it, and power over it is what that takes. The root of a
 * user namespace has it over those that are made along with it; the runtime, if it is in one, over those that others
 * have made there, but not over its own. (For these: INIT_HOST_FALLBACK.) */
static bool shows_foreign_namespace(const InitBuild *b, const BuildMount *m) {
        const char *type = m->spec->type;
        uint32_t foreign = b->facts->own_userns ? b->joined_namespaces : ~b->new_namespaces;

        if (streq(type, "proc"))
                return foreign & CLONE_NEWPID;
        if (streq(type, "mqueue"))
                return foreign & CLONE_NEWIPC;
        /* What the host has mounted on its own, its cgroups for one, is not for who gets there by /proc/PID/root. */
        return streq(type, "sysfs") && (m->extra & INIT_HOST_FALLBACK ? foreign : b->joined_namespaces) & CLONE_NEWNET;
}

int build_open_joined(InitBuild *b) {
        if (!build_has_userns(b) || !b->facts->privileged)
                return 0;
        for (BuildMount *m = b->mounts; m < b->mounts + b->n_mounts; m++) {
                int r;

                if (m->kind != KIND_NEW || m->slot || !shows_foreign_namespace(b, m))
                        continue;
                m->extra &= ~INIT_HOST_FALLBACK;
                r = add_open_fs(b, m);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void add_new(InitBuild *b, const BuildMount *m) {
        if (m->extra & INIT_COPY_UP)
                build_enter_cgroup(b); /* the files that are opened may become devices meanwhile: of those allowed, then */
        *init_add_mount(b->plan, m->origin) = (InitMount){
                .type = m->spec->type,
                .source = m->source,
                .target = m->target,
                .attrs = m->o.attrs.set,
                .super = m->o.super,
                .propagation = m->o.top_propagation ?: m->o.propagation,
                .extra = m->extra,
                .pid_namespace = shown_pid_namespace(b, m),
                .options = m->o.data,
        };
}

static void add_bind(InitBuild *b, const BuildMount *m) {
        *init_add_bind(b->plan, m->origin) = (InitBind){
                .source = m->slot ? NULL : m->source,
                .target = m->target,
                .slot = m->slot,
                .attrs = m->o.attrs.set,
                .clear = m->o.attrs.clear,
                .recursive_attrs = m->o.recursive.set,
                .recursive_clear = m->o.recursive.clear,
                .propagation = m->o.propagation,
                .extra = m->extra,
                .top_propagation = m->o.top_propagation,
        };
}

static void add_cgroup(InitBuild *b, const BuildMount *m) {
        bool own_namespace = (b->new_namespaces | b->joined_namespaces) & CLONE_NEWCGROUP;
        uint64_t attrs = m->o.attrs.set;

        /* The rest of the tree is none of its business, unless all of it is given: a directory of a mount that cannot be
         * written to is enough for clone3() to put a child into that cgroup. In a user namespace its own part would,
         * writable, let it act on the cgroups of its host user (CVE-2023-25809). */
        if (!own_namespace && (build_has_userns(b) || b->facts->own_userns))
                attrs |= MOUNT_ATTR_RDONLY;
        build_enter_cgroup(b);
        *init_add_cgroup(b->plan, m->origin) = (InitCgroup){
                .target = m->target,
                .host = b->facts->cgroup_mount ?: "/sys/fs/cgroup",
                .attrs = attrs,
                .own_namespace = own_namespace,
                .propagation = m->o.top_propagation ?: m->o.propagation,
                .own_directory = !own_namespace && (attrs & MOUNT_ATTR_RDONLY),
        };
}

/* Where the step attaches a mount, and where it is told the slot to keep that in. */
static const char *attached_at(InitStep *s, InitSlot **ret_keep) {
        switch (s->op) {
        case INIT_MOUNT:
                *ret_keep = &s->mount.keep;
                return s->mount.target;
        case INIT_BIND:
                *ret_keep = &s->bind.keep;
                return s->bind.extra & INIT_COPY_SYMLINK ? NULL : s->bind.target; /* it may come to a symlink alone */
        case INIT_CGROUP:
                *ret_keep = &s->cgroup.keep;
                return s->cgroup.target;
        case INIT_READONLY:
                *ret_keep = &s->readonly.keep;
                return s->readonly.path;
        default:
                return NULL;
        }
}

/* The last mount that was put at the path or above it covers all that was there before. Whoever can write to the rootfs may
 * rename the directory that it is on while we are at work, but it stays the mount that it is. */
int build_look_up(InitBuild *b, const char *path, InitSlot *ret_mount, const char **ret_rest) {
        for (size_t i = b->plan->n_steps; i-- > 0;) {
                InitSlot *keep;
                const char *target = attached_at(&b->plan->steps[i], &keep), *rest;
                int r = 0;

                if (!target || !path_is_below(path, target))
                        continue;
                if (!*keep)
                        r = build_slot(b, keep);
                rest = path + strlen(target);
                rest += strspn(rest, "/");
                *ret_mount = *keep;
                *ret_rest = rest[0] ? rest : NULL;
                return r;
        }
        return 0;
}

static int add_remount(InitBuild *b, const BuildMount *m, const MountOptions *o) {
        InitRemount s = {
                .path = m->target,
                .attrs = o->attrs.set,
                .clear = o->attrs.clear,
                .recursive_attrs = o->recursive.set,
                .recursive_clear = o->recursive.clear,
                .propagation = o->propagation,
                .top_propagation = o->top_propagation,
        };
        int r = build_look_up(b, s.path, &s.mount, &s.rest);

        *init_add_remount(b->plan, m->origin) = s;
        return r;
}

/* While its file system can be written to. Who waits for `start` keeps the socket until then. */
static int add_notify(InitBuild *b) {
        InitNotify s = { .path = BUILD_NOTIFY_DIRECTORY, .name = BUILD_NOTIFY_NAME, .kept = build_has_gate(b) };
        int r = build_look_up(b, s.path, &s.mount, &s.rest);

        *init_add_notify(b->plan, "NOTIFY_SOCKET") = s;
        return r;
}

/* While it can be written to, too. */
static int add_credentials(InitBuild *b) {
        const ServiceGift *gift = &b->request->gift;

        for (size_t i = 0; i < gift->n_credentials; i++) {
                const Credential *c = &gift->credentials[i];
                InitCredential s = { .path = BUILD_CREDENTIALS_DIRECTORY, .name = c->name, .uid = b->process->uid,
                                     .gid = b->process->gid, .content = { c->bytes, c->size } };
                int r = build_look_up(b, s.path, &s.mount, &s.rest);

                if (r < 0)
                        return r;
                *init_add_credential(b->plan, "CREDENTIALS_DIRECTORY") = s;
        }
        return 0;
}

int build_mounts(InitBuild *b) {
        for (BuildMount *m = b->mounts; m < b->mounts + b->n_mounts; m++) {
                int r = 0;

                switch (m->kind) {
                case KIND_NEW:
                        if (m->slot)
                                add_bind(b, m);
                        else
                                add_new(b, m);
                        break;
                case KIND_BIND:
                        if (opens_in_turn(m))
                                add_open_tree(b, m);
                        add_bind(b, m);
                        break;
                case KIND_REMOUNT:
                        r = add_remount(b, m, &m->o);
                        break;
                case KIND_CGROUP:
                        if (m->postponed == POSTPONED_NOT)
                                add_cgroup(b, m);
                }
                if (r < 0)
                        return r;
        }
        if (b->notifies) {
                int r = add_notify(b);

                if (r < 0)
                        return r;
        }
        return b->has_credentials ? add_credentials(b) : 0;
}

void build_postponed_mounts(InitBuild *b, bool pivoted) {
        for (const BuildMount *m = b->mounts; m < b->mounts + b->n_mounts; m++)
                if (m->kind == KIND_CGROUP &&
                    m->postponed == (pivoted ? POSTPONED_BEYOND_PIVOT : POSTPONED_TO_PIVOT))
                        add_cgroup(b, m);
}

static bool is_covered(const InitBuild *b, const BuildMount *m) {
        for (size_t i = m->index + 1; i < b->n_mounts; i++)
                if (streq(b->mounts[i].target, m->target))
                        return true;
        return false;
}

static bool is_out_of_sight(const InitBuild *b, const BuildMount *m) {
        for (size_t i = m->index + 1; i < b->n_mounts; i++)
                if (b->mounts[i].kind != KIND_REMOUNT && path_is_below(m->target, b->mounts[i].target))
                        return true;
        return false;
}

/* From the first that a copy has lost the propagation of; what comes after it may be another again, below it. */
void build_propagation_again(InitBuild *b) {
        bool lost = false;

        for (const BuildMount *m = b->mounts; m < b->mounts + b->n_mounts; m++) {
                uint64_t asked = m->o.propagation | m->o.top_propagation;

                lost = lost || (asked & (MS_SHARED | MS_UNBINDABLE));
                if (!lost || !asked || m->o.copy_symlink || is_out_of_sight(b, m))
                        continue;
                *init_add_remount(b->plan, m->origin) = (InitRemount){
                        .path = m->target,
                        .propagation = m->o.propagation,
                        .top_propagation = m->o.top_propagation,
                };
        }
}

int build_readonly_mounts(InitBuild *b) {
        static const MountOptions readonly = { .attrs.set = MOUNT_ATTR_RDONLY };
        int r = 0;

        for (const BuildMount *m = b->mounts; r >= 0 && m < b->mounts + b->n_mounts; m++)
                if (m->readonly_later && !is_covered(b, m))
                        r = add_remount(b, m, &readonly);
        return r;
}
