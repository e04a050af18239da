/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <linux/mount.h>
#include <sched.h>

#include "basic/file.h"
#include "plan/init/internal.h"

/* The slot of the one that is joined: we are not in it when we mount its procfs. */
static uint64_t shown_pid_namespace(const InitBuild *b, const BuildMount *m) {
        const SpecLinux *l = &b->spec->linux_;

        for (size_t i = 0; i < l->n_namespaces; i++)
                if (l->namespaces[i].type == CLONE_NEWPID && l->namespaces[i].path && streq(m->spec->type, "proc"))
                        return b->namespace_slots[i];
        return INIT_NO_SLOT;
}

/* Made without a target, before it is attached as a bind mount is. */
static int add_open_fs(InitBuild *b, BuildMount *m) {
        InitStep *step;
        int r = build_slot(b, &m->slot);

        if (r < 0)
                return r;
        step = add_for(b, INIT_OPEN_FS, m->origin);
        step->num[0] = m->slot;
        step->num[1] = m->o.super;
        step->num[2] = m->idmap;
        step->num[3] = shown_pid_namespace(b, m);
        step->str[0] = m->spec->type;
        step->str[1] = m->source;
        step->list[0] = m->o.data;
        return 0;
}

static void set_attributes(uint64_t num[static 4], const MountOptions *o) {
        num[0] = o->attrs.set;
        num[1] = o->attrs.clear;
        num[2] = o->recursive.set;
        num[3] = o->recursive.clear;
}

static void add_open_tree(InitBuild *b, BuildMount *m) {
        InitStep *step = add_for(b, INIT_OPEN_TREE, m->origin);

        step->num[0] = m->slot;
        step->num[1] = m->extra & INIT_OF_SOURCE;
        step->num[2] = m->idmap;
        step->num[3] = m->o.ridmap;
        set_attributes(step->num + 4, &m->o);
        step->str[0] = m->source;
        m->extra &= ~(uint64_t) INIT_OF_SOURCE;
        m->o.attrs = m->o.recursive = (MountAttrs){};
}

/* The rootfs comes later than what is opened on the host. Mounts happen in the order of the list, and one may be there by
 * then. */
static bool opens_in_turn(const BuildMount *m) {
        return m->slot != INIT_NO_SLOT && (m->extra & INIT_SOURCE_IN_ROOT);
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
                if (m->kind == KIND_NEW && m->idmap != INIT_NO_SLOT)
                        r = add_open_fs(b, m);
                else if (m->kind == KIND_BIND && (all || m->idmap != INIT_NO_SLOT))
                        r = open_source(b, m);
                if (r < 0)
                        return r;
                later = later || opens_in_turn(m);
                /* Taken from a mount namespace of others, it would still share mounts with it. */
                taken = (m->slot != INIT_NO_SLOT && !opens_in_turn(m)) || b->tree != TREE_OWN;
                if (m->kind == KIND_BIND && taken && m->o.propagation == 0 && !is_shared(b, m))
                        m->o.propagation = MS_SLAVE | MS_REC;
        }
        if (locks)
                add(b, INIT_LOCK_SOURCES);
        if (later && privileged)
                add(b, INIT_OPENER);
        return 0;
}

/* A file system that shows a namespace shows that of who mounts it, and power over it is what that takes. The root of a
 * user namespace has it over those that are made along with it; the runtime, if it is in one, over those that others
 * have made there, but not over its own. (For these: INIT_HOST_FALLBACK.) */
static bool shows_foreign_namespace(const InitBuild *b, const char *type) {
        uint32_t foreign = b->facts->own_userns ? b->joined_namespaces : ~b->new_namespaces;

        if (streq(type, "proc"))
                return foreign & CLONE_NEWPID;
        if (streq(type, "mqueue"))
                return foreign & CLONE_NEWIPC;
        return streq(type, "sysfs") && (b->joined_namespaces & CLONE_NEWNET);
}

int build_open_joined(InitBuild *b) {
        if (!build_has_userns(b) || !b->facts->privileged)
                return 0;
        for (BuildMount *m = b->mounts; m < b->mounts + b->n_mounts; m++) {
                int r;

                if (m->kind != KIND_NEW || m->slot != INIT_NO_SLOT || !shows_foreign_namespace(b, m->spec->type))
                        continue;
                m->extra &= ~(uint64_t) INIT_HOST_FALLBACK;
                r = add_open_fs(b, m);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void add_new(InitBuild *b, const BuildMount *m) {
        InitStep *step;

        if (m->extra & INIT_COPY_UP)
                build_enter_cgroup(b); /* the files that are opened may become devices meanwhile: of those allowed, then */
        step = add_for(b, INIT_MOUNT, m->origin);
        step->num[0] = m->o.attrs.set;
        step->num[1] = m->o.super;
        step->num[2] = m->o.top_propagation ?: m->o.propagation;
        step->num[3] = m->extra;
        step->num[4] = shown_pid_namespace(b, m);
        step->str[0] = m->spec->type;
        step->str[1] = m->source;
        step->str[2] = m->target;
        step->list[0] = m->o.data;
}

static void add_bind(InitBuild *b, const BuildMount *m) {
        InitStep *step = add_for(b, INIT_BIND, m->origin);

        step->num[0] = m->slot;
        set_attributes(step->num + 1, &m->o);
        step->num[5] = m->o.propagation;
        step->num[6] = m->extra;
        step->num[7] = m->o.top_propagation;
        step->str[0] = m->slot == INIT_NO_SLOT ? m->source : NULL;
        step->str[1] = m->target;
}

static void add_cgroup(InitBuild *b, const BuildMount *m) {
        InitStep *step;

        build_enter_cgroup(b);
        step = add_for(b, INIT_CGROUP, m->origin);
        step->num[0] = m->o.attrs.set;
        step->num[1] = ((b->new_namespaces | b->joined_namespaces) & CLONE_NEWCGROUP) != 0;
        step->num[2] = m->o.top_propagation ?: m->o.propagation;
        /* The rest of the tree is none of its business, unless all of it is given: a directory of a mount that cannot be
         * written to is enough for clone3() to put a child into that cgroup. In a user namespace its own part would,
         * writable, let it act on the cgroups of its host user (CVE-2023-25809). */
        if (!step->num[1] && (build_has_userns(b) || b->facts->own_userns))
                step->num[0] |= MOUNT_ATTR_RDONLY;
        step->num[3] = !step->num[1] && (step->num[0] & MOUNT_ATTR_RDONLY);
        step->str[0] = m->target;
        step->str[1] = b->facts->cgroup_mount ?: "/sys/fs/cgroup";
}

/* Where the step attaches a mount, and where it is told the slot to keep that in. */
static const char *attached_at(InitStep *s, uint64_t **ret_keep) {
        switch (s->op) {
        case INIT_MOUNT:
                *ret_keep = &s->num[5];
                return s->str[2];
        case INIT_BIND:
                *ret_keep = &s->num[8];
                return s->num[6] & INIT_COPY_SYMLINK ? NULL : s->str[1]; /* it may come to a symlink alone */
        case INIT_CGROUP:
                *ret_keep = &s->num[4];
                return s->str[0];
        case INIT_READONLY:
                *ret_keep = &s->num[1];
                return s->str[0];
        default:
                return NULL;
        }
}

/* The slot of the last mount that was put at the path or above it, as it covers all that was there before. Whoever can
 * write to the rootfs may rename the directory that it is on while we are at work, but it stays the mount that it is. */
static int keep_mount_of(InitBuild *b, const char *path, uint64_t *ret_slot, const char **ret_rest) {
        for (size_t i = b->plan->n_steps; i-- > 0;) {
                uint64_t *keep;
                const char *target = attached_at(&b->plan->steps[i], &keep), *rest;
                int r = 0;

                if (!target || !path_is_below(path, target))
                        continue;
                if (*keep == INIT_NO_SLOT)
                        r = build_slot(b, keep);
                rest = path + strlen(target);
                rest += strspn(rest, "/");
                *ret_slot = *keep;
                *ret_rest = rest[0] ? rest : NULL;
                return r;
        }
        return 0;
}

int build_look_up(InitBuild *b, InitOp op, const char *origin, const char *path, InitStep **ret) {
        uint64_t slot = INIT_NO_SLOT;
        const char *rest = NULL;
        InitStep *step;
        int r = keep_mount_of(b, path, &slot, &rest);

        if (r < 0)
                return r;
        step = add_for(b, op, origin);
        step->num[op == INIT_REMOUNT ? 6 : 0] = slot;
        step->str[0] = path;
        step->str[1] = rest;
        *ret = step;
        return 0;
}

static int add_remount(InitBuild *b, const BuildMount *m, const MountOptions *o) {
        InitStep *step;
        int r = build_look_up(b, INIT_REMOUNT, m->origin, m->target, &step);

        if (r < 0)
                return r;
        set_attributes(step->num, o);
        step->num[4] = o->propagation;
        step->num[5] = o->top_propagation;
        return 0;
}

/* While its file system can be written to. Who waits for `start` keeps the socket until then. */
static int add_notify(InitBuild *b) {
        InitStep *step;
        int r = b->notifies ? build_look_up(b, INIT_NOTIFY, "NOTIFY_SOCKET", BUILD_NOTIFY_DIRECTORY, &step) : 0;

        if (r < 0 || !b->notifies)
                return r;
        step->num[1] = build_has_gate(b);
        step->str[2] = BUILD_NOTIFY_NAME;
        return 0;
}

int build_mounts(InitBuild *b) {
        for (BuildMount *m = b->mounts; m < b->mounts + b->n_mounts; m++) {
                int r = 0;

                switch (m->kind) {
                case KIND_NEW:
                        if (m->slot == INIT_NO_SLOT)
                                add_new(b, m);
                        else
                                add_bind(b, m);
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
        return add_notify(b);
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
                InitStep *step;

                lost = lost || (asked & (MS_SHARED | MS_UNBINDABLE));
                if (!lost || !asked || m->o.copy_symlink || is_out_of_sight(b, m))
                        continue;
                step = add_for(b, INIT_REMOUNT, m->origin);
                step->num[4] = m->o.propagation;
                step->num[5] = m->o.top_propagation;
                step->num[6] = INIT_NO_SLOT;
                step->str[0] = m->target;
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
