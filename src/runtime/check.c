/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "host/cgroup.h"
#include "plan/files.h"
#include "runtime/bundle.h"
#include "steps/limits.h"
#include "runtime/preview.h"

static void add(Findings *f, bool warning, const char *text) {
        strings_add(&f->arena, warning ? &f->warnings : &f->errors, arena_strdup(&f->arena, text));
}

/* The error of a part, if it has one, which does not keep us from the others. */
static bool note(Findings *f, int r, Error *error) {
        if (r < 0)
                add(f, false, error->message ?: errno_text(r));
        error_done(error);
        return r >= 0;
}

static void note_all(Findings *f, const Strings *list, bool warning) {
        for (size_t i = 0; i < list->n; i++)
                add(f, warning, list->s[i]);
}

/* --- files ------------------------------------------------------------------------------------------------------ */

static int look_inside(int root, const char *path) {
        _cleanup_close_ int fd = open_in_root(root, path, O_PATH, 0);

        return MIN(fd, 0);
}

static int look_at(const FileUse *use, int root) {
        struct stat st;

        if (use->in_rootfs)
                return root < 0 ? 0 : look_inside(root, use->path);
        if (stat(use->path, &st) < 0)
                return -errno;
        if (use->need == FILE_DIRECTORY && !S_ISDIR(st.st_mode))
                return -ENOTDIR;
        if (use->need == FILE_EXECUTABLE && S_ISDIR(st.st_mode))
                return -EISDIR;
        return use->need == FILE_EXECUTABLE && faccessat(AT_FDCWD, use->path, X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

static void check_files(const Preview *p, Findings *f) {
        const char *rootfs = path_normalize(&f->arena, p->bundle, p->spec->root_path);
        _cleanup_close_ int root = open_at(AT_FDCWD, rootfs, O_PATH | O_DIRECTORY, 0, RESOLVE_NO_SYMLINKS);
        FileUses files;

        file_uses_build(p->spec, p->bundle, &p->rt->facts.queries, &files);
        for (size_t i = 0; i < files.n; i++) {
                const FileUse *use = &files.uses[i];
                int r = look_at(use, root);

                if (r < 0)
                        add(f, use->may_come, arena_printf(&f->arena, "%s: %s%s: %s", use->origin, use->path,
                                                           use->in_rootfs ? " in the rootfs" : "", errno_text(r)));
        }
        file_uses_done(&files);
}

static void check_command(const Spec *spec, Findings *f) {
        if (!spec->process)
                add(f, true, "process: missing, so there is nothing to run");
        else if (!spec->process->args)
                add(f, true, "process.args: missing, so there is nothing to run");
}

/* Which a filter that forbids new user namespaces would keep it from, and engines' have it, but for who has CAP_SYS_ADMIN. */
static void check_handles(const Spec *spec, Findings *f) {
        const SpecNamespace *user = spec_namespace(spec, CLONE_NEWUSER);

        if (!(user && !user->path) && spec->process && spec->process->capabilities.bounding & 1ULL << CAP_DAC_READ_SEARCH)
                add(f, true, "process.capabilities: CAP_DAC_READ_SEARCH opens each cgroup of the host, and each file of the "
                    "file systems that volumes are on (open_by_handle_at(2)); not from a user namespace");
}

static bool is_in_rootfs(int root, const char *path) {
        _cleanup_close_ int fd = open_in_root(root, path, O_PATH, 0);
        struct stat st;

        return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_mode & 0111;
}

/* As the helper would. What is not there is found with the other files. */
static int open_rootfs(const Preview *p, const char *path, Findings *f) {
        const SpecNamespace *mounts = spec_namespace(p->spec, CLONE_NEWNS);
        _cleanup_error_ Error e = {};
        int fd = mounts && mounts->path ? -EBADF : open_no_symlinks(path, O_PATH | O_DIRECTORY, &e);

        if (fd == -ELOOP)
                add(f, false, arena_printf(&f->arena, "root.path: open rootfs %s: %s", path, e.message));
        return fd;
}

/* The rootfs itself, where it can be looked into; engines may mount it later. */
static void check_program(const Preview *p, Findings *f) {
        const char *path = path_normalize(&f->arena, p->bundle, p->spec->root_path);
        _cleanup_close_ int root = open_rootfs(p, path, f);
        bool covered, found = false;
        Strings places;

        file_uses_program(p->spec, &f->arena, &places, &covered);
        for (size_t i = 0; i < places.n; i++)
                found = found || is_in_rootfs(root, places.s[i]);
        if (root >= 0 && places.n > 0 && !found)
                add(f, covered, arena_printf(&f->arena, "process.args[0]: there is no program \"%s\" in %s",
                                             p->spec->process->args[0], path));
}

static bool is_mapped(const SpecIdMap *maps, size_t n, uint32_t id) {
        for (size_t i = 0; i < n; i++)
                if (id >= maps[i].host_id && id - maps[i].host_id < maps[i].size)
                        return true;
        return false;
}

/* May root of the new user namespace go through a directory? It has power over what both ids are mapped of. */
static bool may_pass(const SpecLinux *l, const struct stat *st) {
        uint32_t uid = UINT32_MAX, gid = UINT32_MAX;

        if (is_mapped(l->uid_mappings, l->n_uid_mappings, st->st_uid) &&
            is_mapped(l->gid_mappings, l->n_gid_mappings, st->st_gid))
                return true;
        (void) spec_map_id(l->uid_mappings, l->n_uid_mappings, 0, &uid);
        (void) spec_map_id(l->gid_mappings, l->n_gid_mappings, 0, &gid);
        return st->st_mode & (st->st_uid == uid ? S_IXUSR : st->st_gid == gid ? S_IXGRP : S_IXOTH);
}

/* A warning, as an ACL may say otherwise, and an engine may mount something there later. The way is looked at from its first
 * directory on, or is the last alone. */
static void check_way(const Preview *p, const char *property, const char *path, bool last, Findings *f) {
        struct stat st;

        for (const char *end = last ? strchr(path, '\0') : path; end; end = *end ? strchrnul(end + 1, '/') : NULL) {
                const char *directory = end == path ? "/" : arena_strndup(&f->arena, path, (size_t) (end - path));

                if (stat(directory, &st) < 0)
                        return;
                if (may_pass(&p->spec->linux_, &st))
                        continue;
                add(f, true, arena_printf(&f->arena, "%s: root of the user namespace cannot %s %s, which has mode %04o",
                                          property, S_ISDIR(st.st_mode) ? "go through" : "execute", directory,
                                          (unsigned) st.st_mode & 07777));
                return;
        }
}

/* What root of the user namespace has to reach by itself. Above the rootfs root of the host does. */
static void check_ways(const Preview *p, Findings *f) {
        const SpecNamespace *users = spec_namespace(p->spec, CLONE_NEWUSER), *mounts = spec_namespace(p->spec, CLONE_NEWNS);
        const SpecHooks *hooks = &p->spec->hooks[HOOK_CREATE_CONTAINER];

        if (!users || users->path || (mounts && mounts->path))
                return;
        check_way(p, "root.path", path_normalize(&f->arena, p->bundle, p->spec->root_path), p->rt->facts.privileged, f);
        for (size_t i = 0; i < hooks->n; i++)
                check_way(p, arena_printf(&f->arena, "hooks.createContainer[%zu].path", i), hooks->hooks[i].path, false, f);
}

/* --- the host --------------------------------------------------------------------------------------------------- */

/* Where systemd, or that of the user, has its controllers from. */
static int open_top_cgroup(const Runtime *rt) {
        char path[128];

        if (!rt->facts.rootless)
                return cgroup_open("/");
        snprintf(path, sizeof(path), "/user.slice/user-%u.slice/user@%u.service", rt->facts.uid, rt->facts.uid);
        return cgroup_open(path);
}

static void check_controllers(const Preview *p, Findings *f) {
        _cleanup_close_ int cgroup = open_top_cgroup(p->rt);
        _cleanup_error_ Error e = {};

        for (size_t i = 0; cgroup >= 0 && i < p->unit.n_props; i++)
                (void) note(f, limits_check_controller(&p->unit.props[i], cgroup, p->rt->facts.rootless, &e), &e);
}

static void check_host(const Runtime *rt, Findings *f) {
        _cleanup_manager_ Manager *m = NULL;
        _cleanup_error_ Error e = {};

        if (rt->facts.cgroup_disabled)
                return;
        if (note(f, cgroup_require_mount(&e), &e))
                (void) note(f, manager_open(&rt->caller, rt->facts.rootless, &m, &e), &e);
}

/* --- all of it -------------------------------------------------------------------------------------------------- */

/* What a plan cannot be made without is reported once. */
static void check_plans(Preview *p, Findings *f) {
        _cleanup_error_ Error e = {};

        (void) note(f, preview_filter(p, &e), &e);
        if (note(f, preview_unit(p, &e), &e))
                check_controllers(p, f);
        note_all(f, note(f, preview_init(p, &e), &e) ? &p->init.warnings : &p->spec->warnings, true);
        (void) note(f, preview_rdt(p, &e), &e);
}

static const char *with_name(const char *name, const char *text, Arena *a) {
        return arena_printf(a, "%s: %s", name, text);
}

int runtime_check(const Runtime *rt, const CreateOptions *options, Findings *ret, Error *reterr) {
        _cleanup_preview_ Preview p = {};
        SpecProblems problems = {};
        const char *name = bundle_config_name(options, &ret->arena);
        int r;

        r = preview_read(rt, options, &p, reterr);
        if (r < 0)
                return r;
        (void) spec_parse_all(p.config, p.config_size, &problems, &p.spec);
        note_all(ret, &problems.errors, false);
        note_all(ret, &problems.warnings, true);
        spec_problems_done(&problems);
        if (p.spec) {
                check_plans(&p, ret);
                check_files(&p, ret);
                check_command(p.spec, ret);
                if (rt->facts.privileged && !rt->facts.own_userns)
                        check_handles(p.spec, ret);
                check_program(&p, ret);
                check_ways(&p, ret);
        }
        for (size_t i = 0; i < ret->errors.n; i++)
                ret->errors.s[i] = with_name(name, ret->errors.s[i], &ret->arena);
        for (size_t i = 0; i < ret->warnings.n; i++)
                ret->warnings.s[i] = with_name(name, ret->warnings.s[i], &ret->arena);
        check_host(rt, ret);
        return 0;
}

void findings_done(Findings *f) {
        arena_done(&f->arena);
        *f = (Findings){};
}
