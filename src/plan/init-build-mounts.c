/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <linux/mount.h>
#include <sched.h>

#include "basic/file.h"
#include "plan/init-build-internal.h"
#include "plan/mount-options.h"

/* More than anybody has a use for. Each that is to be postponed is compared with all else that there is. */
#define POSTPONED_MAX 16

typedef enum MountKind { KIND_NEW, KIND_BIND, KIND_CGROUP, KIND_REMOUNT } MountKind;
typedef enum Postponed { POSTPONED_NOT, POSTPONED_TO_PIVOT, POSTPONED_BEYOND_PIVOT } Postponed;

struct BuildMount {
        const SpecMount *spec;
        size_t index;
        MountKind kind;
        const char *target;     /* normalized */
        const char *source;
        MountOptions o;
        uint64_t slot, extra;
        bool readonly_later;
        Postponed postponed;
};

static bool is_near(const char *a, const char *b) {
        return path_is_below(a, b) || path_is_below(b, a);
}

static int refuse(const InitBuild *b, const BuildMount *m, const char *property, const char *text) {
        return error_setf(b->reterr, EINVAL, "mounts[%zu].%s: %s", m->index, property, text);
}

/*
 * What may be mounted where on /proc. A container with a false /proc could fool whoever relies on it later, from
 * the runtime (which has a procfs of its own for that reason) to the processes of `exec`:
 *   - on /proc itself: a procfs, or a bind of one (the helper looks);
 *   - below it: only the files that lxcfs emulates;
 *   - the helper refuses other targets on a procfs, should a symlink in the rootfs lead to one.
 */
static int check_proc_target(const InitBuild *b, BuildMount *m) {
        static const char *const allowed[] = {
                "/proc/cpuinfo", "/proc/diskstats", "/proc/meminfo", "/proc/stat", "/proc/swaps", "/proc/uptime",
                "/proc/loadavg", "/proc/slabinfo", "/proc/sys/kernel/ns_last_pid", "/proc/sys/crypto/fips_enabled",
        };

        if (!path_is_below(m->target, "/proc"))
                return 0;
        m->extra |= INIT_TARGET_ON_PROC;
        if (streq(m->target, "/proc")) {
                if (m->kind == KIND_BIND)
                        m->extra |= INIT_SOURCE_PROC;
                else if (m->kind == KIND_CGROUP || (m->kind == KIND_NEW && !streq(m->spec->type, "proc")))
                        return refuse(b, m, "destination", "only a file system of type proc can be mounted on /proc");
                return 0;
        }
        for (size_t i = 0; i < ELEMENTSOF(allowed); i++)
                if (streq(m->target, allowed[i]))
                        return 0;
        return error_setf(b->reterr, EINVAL, "mounts[%zu].destination: nothing can be mounted inside /proc, as at %s",
                          m->index, m->target);
}

static int read_kind(const InitBuild *b, BuildMount *m) {
        const char *type = m->spec->type;

        if (m->o.bind || (type && streq(type, "bind")))
                m->kind = KIND_BIND;
        else if (m->o.remount)
                m->kind = KIND_REMOUNT;
        else if (isempty(type))
                return refuse(b, m, "type", "needed where nothing is bound");
        else
                m->kind = streq(type, "cgroup") || streq(type, "cgroup2") ? KIND_CGROUP : KIND_NEW;
        /* That of a cgroup mount is the host's. Flags of the superblock ("sync") the kernel ignores there, and so do
         * we: they come with lists made for any kind of mount. */
        if (m->kind != KIND_NEW && m->o.data[0])
                return error_setf(b->reterr, EINVAL, "mounts[%zu].options: \"%s\" is for a new file system, "
                                  "which is not made here", m->index, m->o.data[0]);
        if (m->kind == KIND_REMOUNT && (m->o.recursive.set | m->o.recursive.clear) != 0)
                return refuse(b, m, "options", "recursive ones do not go with remount");
        if (m->o.copy_up && (m->kind != KIND_NEW || !streq(type, "tmpfs")))
                return refuse(b, m, "options", "tmpcopyup is for file systems of type tmpfs");
        return 0;
}

static int read_source(const InitBuild *b, BuildMount *m) {
        const char *source = m->spec->source;

        if (m->kind != KIND_BIND) {
                m->source = isempty(source) ? m->spec->type : source;
                return 0;
        }
        if (isempty(source))
                return refuse(b, m, "source", "needed for a bind mount");
        m->source = source[0] == '/' ? source : arena_printf(b->arena, "%s/%s", b->bundle, source);
        return 0;
}

/* gid=5 of devpts is the group "tty". A user namespace that has no such group would refuse the mount. */
static bool gid_is_unmapped(const InitBuild *b, const char *option) {
        const SpecLinux *l = &b->spec->linux_;
        const char *value = startswith(option, "gid=");
        uint32_t gid;

        if (!value || !(b->new_namespaces & CLONE_NEWUSER) || parse_u32(value, &gid) < 0)
                return false;
        for (size_t i = 0; i < l->n_gid_mappings; i++)
                if (gid >= l->gid_mappings[i].container_id &&
                    gid - l->gid_mappings[i].container_id < l->gid_mappings[i].size)
                        return false;
        return true;
}

static const char *mount_label(const InitBuild *b, const char *type) {
        static const char *const unlabelled[] = { "proc", "sysfs", "mqueue" };
        static const char *const keys[] = { "context", "fscontext", "defcontext", "rootcontext" };
        const char *label = b->spec->linux_.mount_label;
        const char *key = spec_annotation(b->spec, "run.oci.mount_context_type");

        if (isempty(label) || !b->facts->selinux)
                return NULL;
        for (size_t i = 0; i < ELEMENTSOF(unlabelled); i++)
                if (streq(type, unlabelled[i]))
                        return NULL;
        for (size_t i = 1; i < ELEMENTSOF(keys); i++)
                if (key && streq(key, keys[i]))
                        return arena_printf(b->arena, "%s=%s", keys[i], label);
        return arena_printf(b->arena, "context=%s", label);
}

static void read_data(const InitBuild *b, BuildMount *m) {
        const char *type = m->spec->type, *label = mount_label(b, type), **data;
        bool has_mode = false;
        size_t n = 0;

        while (m->o.data[n])
                n++;
        data = arena_calloc(b->arena, n + 2, sizeof(*data));
        n = 0;
        for (size_t i = 0; m->o.data[i]; i++) {
                has_mode = has_mode || startswith(m->o.data[i], "mode=");
                if (!streq(type, "devpts") || !gid_is_unmapped(b, m->o.data[i]))
                        data[n++] = m->o.data[i];
        }
        if (label)
                data[n++] = label;
        m->o.data = data;
        if (streq(type, "tmpfs") && !has_mode)
                m->extra |= INIT_TARGET_MODE;
}

/*
 * A file system that is read-only is so in its superblock too, or else the kernel would try to write to a device
 * that cannot be written. Not so those in memory: one superblock of them may serve several mounts (one sysfs all
 * containers of a network namespace), and it is only this mount that is to be read-only.
 */
static bool is_in_memory(const char *type) {
        static const char *const types[] = {
                "binfmt_misc", "bpf", "configfs", "debugfs", "devpts", "devtmpfs", "efivarfs", "fusectl",
                "hugetlbfs", "mqueue", "proc", "pstore", "ramfs", "resctrl", "securityfs", "selinuxfs", "sysfs",
                "tmpfs", "tracefs",
        };

        for (size_t i = 0; i < ELEMENTSOF(types); i++)
                if (streq(type, types[i]))
                        return true;
        return false;
}

static void read_new(InitBuild *b, BuildMount *m) {
        const char *type = m->spec->type;
        bool readonly;

        read_data(b, m);
        /* The mount is a single one, on which the recursive attributes come second. */
        m->o.attrs.set = (m->o.attrs.set & ~m->o.recursive.clear) | m->o.recursive.set;
        readonly = m->o.attrs.set & MOUNT_ATTR_RDONLY;
        if (readonly && (streq(type, "tmpfs") || streq(m->target, "/dev"))) {
                m->readonly_later = true;
                m->o.attrs.set &= ~(uint64_t) MOUNT_ATTR_RDONLY;
        } else if (readonly && !is_in_memory(type))
                m->o.super |= MS_RDONLY;
        if (m->o.copy_up)
                m->extra |= INIT_COPY_UP;
        if (streq(type, "proc") || streq(type, "sysfs"))
                m->extra |= INIT_NO_TARGET_SYMLINK;
        /* Only a network namespace of the same user namespace lets it mount a sysfs. */
        if (streq(type, "sysfs") && b->in_userns && !(b->new_namespaces & CLONE_NEWNET))
                m->extra |= INIT_SYSFS_FALLBACK;
}

static int read_mount(InitBuild *b, BuildMount *m) {
        int r;

        if (m->spec->n_uid_mappings > 0 || m->spec->n_gid_mappings > 0)
                return error_setf(b->reterr, EOPNOTSUPP, "mounts[%zu].uidMappings: mapped mounts are not supported",
                                  m->index);
        r = mount_options_parse(m->spec, m->index, b->arena, &m->o, b->reterr);
        if (r < 0)
                return r;
        m->slot = INIT_NO_SLOT;
        m->target = path_normalize(b->arena, "/", m->spec->destination);
        if (streq(m->target, "/"))
                return refuse(b, m, "destination", "nothing can be mounted on the root of the container");
        r = read_kind(b, m);
        if (r >= 0)
                r = read_source(b, m);
        if (r >= 0)
                r = check_proc_target(b, m);
        if (r < 0)
                return r;
        if (m->kind == KIND_NEW)
                read_new(b, m);
        if (m->kind == KIND_CGROUP)
                m->o.attrs.set = (m->o.attrs.set & ~m->o.recursive.clear) | m->o.recursive.set;
        if (m->kind == KIND_BIND) {
                m->extra |= m->o.rbind ? INIT_RECURSIVE : 0;
                b->dev_is_bound = b->dev_is_bound || streq(m->target, "/dev");
        }
        return 0;
}

/* Is it the cgroup directory of a sysfs further up in the list? Then it exists, even when / is read-only by then. */
static bool is_in_sysfs(const InitBuild *b, const BuildMount *m) {
        const BuildMount *below = NULL;

        for (size_t i = 0; i < m->index; i++)
                if (path_is_below(m->target, b->mounts[i].target))
                        below = &b->mounts[i];
        return below && below->kind == KIND_NEW && streq(below->spec->type, "sysfs") &&
               streq(m->target, arena_printf(b->arena, "%s/fs/cgroup", below->target));
}

static bool is_near_any(const InitBuild *b, const char *path, const char **list) {
        for (; *list; list++)
                if (is_near(path, path_normalize(b->arena, "/", *list)))
                        return true;
        return false;
}

/*
 * A cgroup mount has to wait until systemd has made the cgroup, and the rest of the list with it. If no later step
 * touches what is below or above its target, nobody can see the difference when it comes later. (A symlink in
 * the rootfs could lead another mount there; that one would be covered.)
 */
static Postponed postpone(const InitBuild *b, const BuildMount *m) {
        const SpecLinux *l = &b->spec->linux_;

        for (size_t i = m->index + 1; i < b->n_mounts; i++)
                if (is_near(m->target, b->mounts[i].target))
                        return POSTPONED_NOT;
        if (build_has_device_near(b, m->target))
                return POSTPONED_NOT;
        if (!(b->new_namespaces & CLONE_NEWCGROUP) || build_has_mount_hooks(b) || !is_in_sysfs(b, m) ||
            is_near_any(b, m->target, l->readonly_paths) || is_near_any(b, m->target, l->masked_paths) ||
            (b->process && path_is_below(path_normalize(b->arena, "/", b->process->cwd), m->target)))
                return POSTPONED_TO_PIVOT;
        return POSTPONED_BEYOND_PIVOT;
}

int build_read_mounts(InitBuild *b) {
        size_t n_cgroups = 0;

        b->n_mounts = b->spec->n_mounts;
        b->mounts = arena_calloc(b->arena, b->n_mounts, sizeof(*b->mounts));
        for (size_t i = 0; i < b->n_mounts; i++) {
                int r;

                b->mounts[i].spec = &b->spec->mounts[i];
                b->mounts[i].index = i;
                r = read_mount(b, &b->mounts[i]);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < b->n_mounts; i++)
                if (b->mounts[i].kind == KIND_CGROUP && n_cgroups++ < POSTPONED_MAX)
                        b->mounts[i].postponed = postpone(b, &b->mounts[i]);
        return 0;
}

bool build_has_mount_at(const InitBuild *b, const char *path) {
        for (size_t i = 0; i < b->n_mounts; i++)
                if (streq(b->mounts[i].target, path))
                        return true;
        return false;
}

/* The root of a user namespace may not be able to read what the host's root may. */
int build_open_sources(InitBuild *b) {
        if (!((b->new_namespaces | b->joined_namespaces) & CLONE_NEWUSER) || !b->facts->privileged)
                return 0;
        for (size_t i = 0; i < b->n_mounts; i++) {
                BuildMount *m = &b->mounts[i];
                InitStep *step;
                int r;

                if (m->kind != KIND_BIND)
                        continue;
                r = build_slot(b, &m->slot);
                if (r < 0)
                        return r;
                step = add(b, INIT_OPEN_TREE);
                step->num[0] = m->slot;
                step->num[1] = m->o.rbind;
                step->str[0] = m->source;
                m->extra &= ~(uint64_t) INIT_RECURSIVE;
                /* Taken from the host's mount namespace, it would still share mounts with it. */
                if (m->o.propagation == 0 && !streq_null(b->spec->linux_.rootfs_propagation, "shared"))
                        m->o.propagation = MS_SLAVE | MS_REC;
        }
        return 0;
}

static void add_new(InitBuild *b, const BuildMount *m) {
        InitStep *step = add(b, INIT_MOUNT);

        step->num[0] = m->o.attrs.set;
        step->num[1] = m->o.super;
        step->num[2] = m->o.propagation;
        step->num[3] = m->extra;
        step->str[0] = m->spec->type;
        step->str[1] = m->source;
        step->str[2] = m->target;
        step->list[0] = m->o.data;
}

static void add_bind(InitBuild *b, const BuildMount *m) {
        InitStep *step = add(b, INIT_BIND);

        step->num[0] = m->slot;
        step->num[1] = m->o.attrs.set;
        step->num[2] = m->o.attrs.clear;
        step->num[3] = m->o.recursive.set;
        step->num[4] = m->o.recursive.clear;
        step->num[5] = m->o.propagation;
        step->num[6] = m->extra;
        step->str[0] = m->slot == INIT_NO_SLOT ? m->source : NULL;
        step->str[1] = m->target;
}

static bool has_userns(const InitBuild *b) {
        return (b->new_namespaces | b->joined_namespaces) & CLONE_NEWUSER;
}

static void add_cgroup(InitBuild *b, const BuildMount *m) {
        InitStep *step;

        build_enter_cgroup(b);
        step = add(b, INIT_CGROUP);
        step->num[0] = m->o.attrs.set;
        step->num[1] = ((b->new_namespaces | b->joined_namespaces) & CLONE_NEWCGROUP) != 0;
        step->num[2] = m->o.propagation;
        /* In a user namespace the rest of the tree is none of its business, and its own part would, writable, let it act
         * on the cgroups of its host user (CVE-2023-25809). */
        step->num[3] = !step->num[1] && (has_userns(b) || b->facts->own_userns);
        if (step->num[3])
                step->num[0] |= MOUNT_ATTR_RDONLY;
        step->str[0] = m->target;
        step->str[1] = b->facts->cgroup_mount ?: "/sys/fs/cgroup";
}

static void add_remount(InitBuild *b, const char *path, uint64_t set, uint64_t clear) {
        InitStep *step = add(b, INIT_REMOUNT);

        step->num[0] = set;
        step->num[1] = clear;
        step->str[0] = path;
}

void build_mounts(InitBuild *b) {
        for (const BuildMount *m = b->mounts; m < b->mounts + b->n_mounts; m++)
                switch (m->kind) {
                case KIND_NEW:
                        add_new(b, m);
                        break;
                case KIND_BIND:
                        add_bind(b, m);
                        break;
                case KIND_REMOUNT:
                        add_remount(b, m->target, m->o.attrs.set, m->o.attrs.clear);
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
        for (const BuildMount *m = b->mounts; m < b->mounts + b->n_mounts; m++)
                if (m->readonly_later && !is_covered(b, m))
                        add_remount(b, m->target, MOUNT_ATTR_RDONLY, 0);
}
