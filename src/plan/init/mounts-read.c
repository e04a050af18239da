/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <linux/mount.h>
#include <sched.h>

#include "basic/file.h"
#include "plan/files.h"
#include "plan/init/internal.h"

/* What mounts[] says: read and checked, one after the other. What comes of it: mounts.c. */

/* More than anybody has a use for. Each that is to be postponed is compared with all else that there is. */
#define POSTPONED_MAX 16

static bool is_near(const char *a, const char *b) {
        return path_is_below(a, b) || path_is_below(b, a);
}

static int refuse(const InitBuild *b, const BuildMount *m, const char *property, const char *text) {
        return error_setf(b->reterr, EINVAL, "%s.%s: %s", m->origin, property, text);
}

static int refuse_option(const InitBuild *b, const BuildMount *m, MountOptionKind kind, const char *text) {
        size_t i = m->o.at[kind];

        return error_setf(b->reterr, EINVAL, "%s.options[%zu]: \"%s\" %s", m->origin, i, m->spec->options[i], text);
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
                "/proc/loadavg", "/proc/slabinfo", "/proc/pressure/cpu", "/proc/pressure/io", "/proc/pressure/irq",
                "/proc/pressure/memory", "/proc/sys/kernel/ns_last_pid", "/proc/sys/crypto/fips_enabled",
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
        return error_setf(b->reterr, EINVAL, "%s.destination: nothing can be mounted inside /proc, as at %s",
                          m->origin, m->target);
}

/* The mount is the container's root from then on. In a mount namespace of others it would have to be taken away again, and
 * what is done to the root itself has properties of its own. */
static int check_root_target(const InitBuild *b, const BuildMount *m) {
        if (!streq(m->target, "/"))
                return 0;
        if (b->tree != TREE_OWN)
                return refuse(b, m, "destination", "nothing can be mounted on the root without a new mount namespace");
        if (m->kind == KIND_REMOUNT)
                return refuse(b, m, "destination", "root.readonly and linux.rootfsPropagation are for the root");
        return m->kind == KIND_CGROUP ? refuse(b, m, "destination", "cgroups are no root file system") : 0;
}

/* What is handed over is copied, and such a mount is not. */
static int check_unbindable(const InitBuild *b, const BuildMount *m) {
        if (!build_hands_over(b) || !((m->o.propagation | m->o.top_propagation) & MS_UNBINDABLE))
                return 0;
        return error_setf(b->reterr, EOPNOTSUPP, "%s.options: \"unbindable\" is not to be had in a mount namespace that is "
                          "joined", m->origin);
}

static int read_kind(const InitBuild *b, BuildMount *m) {
        const char *type = m->spec->type;

        if (m->o.remount)
                m->kind = KIND_REMOUNT;
        else if (m->o.bind || (type && streq(type, "bind")))
                m->kind = KIND_BIND;
        else if (isempty(type))
                return refuse(b, m, "type", "needed where nothing is bound");
        else
                m->kind = streq(type, "cgroup") || streq(type, "cgroup2") ? KIND_CGROUP : KIND_NEW;
        return 0;
}

/* What is mounted already belongs to a file system that others may use too: what would change that for all of them is
 * refused. Nobody reports to anybody there, so that being silent is easy. And what a file system takes by name ("size=1k")
 * a bind ignores, here as in mount(2); a word alone is more likely a flag that was meant otherwise ("noexce"). */
static int check_options(const InitBuild *b, BuildMount *m) {
        static const char not_here[] = "is for a new file system, which is not made here";
        const MountOptions *o = &m->o;
        const char *type = m->spec->type;

        if (m->kind != KIND_NEW && o->words)
                return refuse_option(b, m, OPT_WORD, not_here);
        if (m->kind != KIND_NEW && m->kind != KIND_BIND && o->data[0])
                return refuse_option(b, m, OPT_DATA, not_here);
        if (m->kind != KIND_NEW && (o->super & ~(uint64_t) MS_SILENT))
                return refuse_option(b, m, OPT_SUPER, not_here);
        if (o->copy_up && (m->kind != KIND_NEW || !streq(type, "tmpfs")))
                return refuse_option(b, m, OPT_COPY_UP, "is for file systems of type tmpfs");
        if (o->copy_symlink && (o->source_nofollow || o->target_nofollow))
                return refuse_option(b, m, OPT_COPY_SYMLINK, "does not go with src-nofollow and dest-nofollow");
        if (m->kind == KIND_BIND)
                return 0;
        if (o->copy_symlink)
                return refuse_option(b, m, OPT_COPY_SYMLINK, "is for bind mounts");
        if (o->source_nofollow)
                return refuse_option(b, m, OPT_SOURCE_NOFOLLOW, "is for bind mounts");
        return o->target_nofollow ? refuse_option(b, m, OPT_TARGET_NOFOLLOW, "is for bind mounts") : 0;
}

static int read_source(const InitBuild *b, BuildMount *m) {
        const char *source = m->spec->source, *inside;

        if (m->kind != KIND_BIND) {
                m->source = isempty(source) ? m->spec->type : source;
                return 0;
        }
        if (isempty(source))
                return refuse(b, m, "source", "needed for a bind mount");
        m->source = file_source(b->bundle, source, b->arena);
        inside = file_in_rootfs(b->spec, b->bundle, &b->facts->queries, m->source, b->arena);
        if (inside) {
                m->source = inside;
                m->extra |= INIT_SOURCE_IN_ROOT;
        }
        return 0;
}

/* gid=5 of devpts is the group "tty". A user namespace that has no such group would refuse the mount. */
static bool gid_is_unmapped(const InitBuild *b, const char *option) {
        const SpecLinux *l = &b->spec->linux_;
        const char *value = startswith(option, "gid=");
        uint32_t gid, host_gid;

        return value && (b->new_namespaces & CLONE_NEWUSER) && parse_u32(value, &gid) == 0 &&
               !spec_map_id(l->gid_mappings, l->n_gid_mappings, gid, &host_gid);
}

const char *build_mount_label(const InitBuild *b, const char *type) {
        static const char *const unlabelled[] = { "proc", "sysfs", "mqueue" };
        const char *label = b->spec->linux_.mount_label;
        const char *key = spec_annotation(b->spec, "run.oci.mount_context_type");

        if (isempty(label) || !b->facts->selinux)
                return NULL;
        for (size_t i = 0; i < ELEMENTSOF(unlabelled); i++)
                if (streq(type, unlabelled[i]))
                        return NULL;
        return arena_printf(b->arena, "%s=%s", isempty(key) ? "context" : key, label);
}

static void read_data(const InitBuild *b, BuildMount *m) {
        const char *type = m->spec->type, *label = build_mount_label(b, type), **data;
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

/* What shows a namespace nobody mounts without power over that. Of the caller's own there is a mount already; and of a
 * sysfs only the network is another's, so the host's will do, but not for writing. */
static bool host_will_do(const InitBuild *b, const char *type, bool readonly) {
        uint32_t others = b->new_namespaces | b->joined_namespaces;

        return (streq(type, "sysfs") && readonly && !(b->new_namespaces & CLONE_NEWNET)) ||
               (streq(type, "proc") && !(others & CLONE_NEWPID)) ||
               (streq(type, "mqueue") && !(others & CLONE_NEWIPC));
}

static void read_new(InitBuild *b, BuildMount *m) {
        const char *type = m->spec->type;
        bool readonly;

        read_data(b, m);
        /* The mount is a single one, on which the recursive attributes come second. */
        m->o.attrs.set = (m->o.attrs.set & ~m->o.recursive.clear) | m->o.recursive.set;
        readonly = m->o.attrs.set & MOUNT_ATTR_RDONLY;
        if (readonly && (streq(type, "tmpfs") || streq(type, "ramfs") || streq(m->target, "/dev"))) {
                m->readonly_later = true;
                m->o.attrs.set &= ~(uint64_t) MOUNT_ATTR_RDONLY;
        } else if (readonly && !is_in_memory(type))
                m->o.super |= MS_RDONLY;
        if (m->o.copy_up)
                m->extra |= INIT_COPY_UP;
        if (streq(type, "proc") || streq(type, "sysfs"))
                m->extra |= INIT_NO_TARGET_SYMLINK;
        if (b->in_userns && host_will_do(b, type, readonly))
                m->extra |= INIT_HOST_FALLBACK;
}

static void read_bind(InitBuild *b, BuildMount *m) {
        m->extra |= m->o.rbind ? INIT_RECURSIVE : 0;
        m->extra |= m->o.source_nofollow || m->o.copy_symlink ? INIT_NO_SOURCE_FOLLOW : 0;
        m->extra |= m->o.target_nofollow ? INIT_NO_TARGET_FOLLOW : 0;
        m->extra |= m->o.copy_symlink ? INIT_COPY_SYMLINK : 0;
        b->dev_is_bound = b->dev_is_bound || streq(m->target, "/dev");
}

static int read_mount(InitBuild *b, BuildMount *m) {
        int r;

        r = mount_options_parse(m->spec, m->index, b->arena, &m->o, b->reterr);
        if (r < 0)
                return r;
        m->target = path_normalize(b->arena, "/", m->spec->destination);
        r = read_kind(b, m);
        if (r >= 0)
                r = check_root_target(b, m);
        if (r >= 0)
                r = check_options(b, m);
        if (r >= 0)
                r = check_unbindable(b, m);
        if (r >= 0)
                r = read_source(b, m);
        if (r >= 0)
                r = check_proc_target(b, m);
        if (r >= 0)
                r = build_read_idmap(b, m);
        if (r < 0)
                return r;
        if (m->kind == KIND_NEW)
                read_new(b, m);
        if (m->kind == KIND_CGROUP)
                m->o.attrs.set = (m->o.attrs.set & ~m->o.recursive.clear) | m->o.recursive.set;
        if (m->kind == KIND_BIND)
                read_bind(b, m);
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

/* After all that are listed. With a mount of a file system of the host's who has CAP_DAC_READ_SEARCH opens each file there
 * (open_by_handle_at(2)). */
static const char *notify_options[] = { "nosuid", "nodev", "noexec", "ro", "mode=0755", "size=4k", NULL };
static const SpecMount notify_mount = { .destination = BUILD_NOTIFY_DIRECTORY, .type = "tmpfs", .source = "tmpfs",
                                        .options = notify_options, .n_options = ELEMENTSOF(notify_options) - 1 };

/* Of a file system that is never on a disk, and is root's of the container to mount. */
static const char *credentials_options[] = { "nosuid", "nodev", "noexec", "ro", "mode=0755", NULL };
static const SpecMount credentials_mount = { .destination = BUILD_CREDENTIALS_DIRECTORY, .type = "ramfs", .source = "ramfs",
                                             .options = credentials_options,
                                             .n_options = ELEMENTSOF(credentials_options) - 1 };

/* The one of that number, and what it comes of. */
static const SpecMount *choose_mount(const InitBuild *b, size_t i, const char **ret_origin) {
        bool is_notify = b->notifies && i == b->spec->n_mounts;

        if (i < b->spec->n_mounts) {
                *ret_origin = arena_printf(b->arena, "mounts[%zu]", i);
                return &b->spec->mounts[i];
        }
        *ret_origin = is_notify ? "NOTIFY_SOCKET" : "CREDENTIALS_DIRECTORY";
        return is_notify ? &notify_mount : &credentials_mount;
}

int build_read_mounts(InitBuild *b) {
        size_t n_cgroups = 0;

        b->n_mounts = b->spec->n_mounts + b->notifies + b->has_credentials;
        b->mounts = arena_calloc(b->arena, b->n_mounts, sizeof(*b->mounts));
        b->idmaps = arena_calloc(b->arena, b->n_mounts, sizeof(*b->idmaps));
        for (size_t i = 0; i < b->n_mounts; i++) {
                int r;

                b->mounts[i].spec = choose_mount(b, i, &b->mounts[i].origin);
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
