/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <linux/mount.h>
#include <sched.h>

#include "basic/file.h"
#include "plan/init-build-internal.h"

bool build_has_mount_at(const InitBuild *b, const char *path) {
        for (size_t i = 0; i < b->n_mounts; i++)
                if (streq(b->mounts[i].target, path))
                        return true;
        return false;
}

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

static void add_open_tree(InitBuild *b, BuildMount *m) {
        InitStep *step = add_for(b, INIT_OPEN_TREE, m->origin);

        step->num[0] = m->slot;
        step->num[1] = m->o.rbind;
        step->num[2] = m->idmap;
        step->num[3] = m->o.ridmap;
        step->num[4] = (m->extra & INIT_NO_SOURCE_FOLLOW) != 0;
        step->str[0] = m->source;
        m->extra &= ~(uint64_t) (INIT_RECURSIVE | INIT_NO_SOURCE_FOLLOW);
}

/* May an earlier mount of the list be there when its turn comes? Mounts happen in the order of the list. */
static bool is_on_earlier(const InitBuild *b, const BuildMount *m) {
        const char *root = path_normalize(b->arena, b->bundle, b->spec->root_path);

        return m->index > 0 && (path_is_below(path_normalize(b->arena, "/", m->source), root) ||
                                (b->facts->queries.is_below && b->facts->queries.is_below(m->source, root)));
}

static int open_source(InitBuild *b, BuildMount *m) {
        int r = build_slot(b, &m->slot);

        m->late = is_on_earlier(b, m);
        if (r >= 0 && !m->late)
                add_open_tree(b, m);
        return r;
}

/* Only who has power over a file system may map its owners, and the root of a user namespace may not be able to read
 * what the host's root may. (And should not, where others say what is at a path.) */
int build_open_sources(InitBuild *b) {
        bool privileged = build_has_userns(b) && b->facts->privileged, all = privileged && b->tree == TREE_OWN, late = false;

        for (BuildMount *m = b->mounts; m < b->mounts + b->n_mounts; m++) {
                bool taken;
                int r = 0;

                if (m->kind == KIND_NEW && m->idmap != INIT_NO_SLOT)
                        r = add_open_fs(b, m);
                else if (m->kind == KIND_BIND && (all || m->idmap != INIT_NO_SLOT))
                        r = open_source(b, m);
                if (r < 0)
                        return r;
                late = late || m->late;
                /* Taken from a mount namespace of others, it would still share mounts with it. */
                taken = (m->slot != INIT_NO_SLOT && !m->late) || b->tree != TREE_OWN;
                if (m->kind == KIND_BIND && taken && m->o.propagation == 0 &&
                    !streq_null(b->spec->linux_.rootfs_propagation, "shared"))
                        m->o.propagation = MS_SLAVE | MS_REC;
        }
        if (late && privileged)
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
        InitStep *step = add_for(b, INIT_MOUNT, m->origin);

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
        step->num[1] = m->o.attrs.set;
        step->num[2] = m->o.attrs.clear;
        step->num[3] = m->o.recursive.set;
        step->num[4] = m->o.recursive.clear;
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
        /* In a user namespace the rest of the tree is none of its business, and its own part would, writable, let it act
         * on the cgroups of its host user (CVE-2023-25809). */
        step->num[3] = !step->num[1] && (build_has_userns(b) || b->facts->own_userns);
        if (step->num[3])
                step->num[0] |= MOUNT_ATTR_RDONLY;
        step->str[0] = m->target;
        step->str[1] = b->facts->cgroup_mount ?: "/sys/fs/cgroup";
}

static void add_remount(InitBuild *b, const BuildMount *m, const MountOptions *o) {
        InitStep *step = add_for(b, INIT_REMOUNT, m->origin);

        step->num[0] = o->attrs.set;
        step->num[1] = o->attrs.clear;
        step->num[2] = o->recursive.set;
        step->num[3] = o->recursive.clear;
        step->num[4] = o->propagation;
        step->num[5] = o->top_propagation;
        step->str[0] = m->target;
}

void build_mounts(InitBuild *b) {
        for (BuildMount *m = b->mounts; m < b->mounts + b->n_mounts; m++)
                switch (m->kind) {
                case KIND_NEW:
                        if (m->slot == INIT_NO_SLOT)
                                add_new(b, m);
                        else
                                add_bind(b, m);
                        break;
                case KIND_BIND:
                        if (m->late)
                                add_open_tree(b, m);
                        add_bind(b, m);
                        break;
                case KIND_REMOUNT:
                        add_remount(b, m, &m->o);
                        break;
                case KIND_CGROUP:
                        if (m->postponed == POSTPONED_NOT)
                                add_cgroup(b, m);
                }
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

void build_readonly_mounts(InitBuild *b) {
        static const MountOptions readonly = { .attrs.set = MOUNT_ATTR_RDONLY };

        for (const BuildMount *m = b->mounts; m < b->mounts + b->n_mounts; m++)
                if (m->readonly_later && !is_covered(b, m))
                        add_remount(b, m, &readonly);
}
