/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/files.h"

#include <sched.h>

#include "basic/file.h"
#include "basic/str.h"

void file_uses_done(FileUses *files) {
        free(files->uses);
        arena_done(&files->arena);
        *files = (FileUses){};
}

const char *file_source(const char *bundle, const char *source, Arena *a) {
        return source[0] == '/' ? source : arena_printf(a, "%s/%s", bundle, source);
}

/* By its names, as no symlink leads to a rootfs; in a mount namespace of others there is nothing else to go by. Where the root
 * is the host's, so are all symlinks. */
const char *file_in_rootfs(const Spec *spec, const char *bundle, const HostQueries *queries, const char *source, Arena *a) {
        const char *root = path_normalize(a, bundle, spec->root_path), *rest = path_beyond(source, root);
        const SpecNamespace *mounts = spec_namespace(spec, CLONE_NEWNS);
        _cleanup_free_ char *found = NULL;

        if (streq(root, "/"))
                return NULL;
        if (!rest && queries->beyond && !(mounts && mounts->path)) {
                found = queries->beyond(source, root);
                rest = found;
        }
        return rest ? arena_printf(a, "/%s", rest) : NULL;
}

static void add(FileUses *files, const char *origin, const char *path, FileNeed need, bool may_come) {
        GREW(files->uses, files->n);
        files->uses[files->n++] = (FileUse){ .origin = origin, .path = path, .need = need, .may_come = may_come };
}

static bool is_bind(const SpecMount *m) {
        return (m->type && streq(m->type, "bind")) || spec_mount_has_option(m, "bind") || spec_mount_has_option(m, "rbind");
}

static bool has_early_hooks(const Spec *spec) {
        return spec->hooks[HOOK_PRESTART].n > 0 || spec->hooks[HOOK_CREATE_RUNTIME].n > 0;
}

static void add_source(FileUses *files, const Spec *spec, const char *bundle, const HostQueries *queries, size_t i) {
        const char *source = file_source(bundle, spec->mounts[i].source, &files->arena);
        const char *inside = file_in_rootfs(spec, bundle, queries, source, &files->arena);

        add(files, arena_printf(&files->arena, "mounts[%zu].source", i), inside ?: source, FILE_ANY,
            has_early_hooks(spec) || (inside && i > 0));
        files->uses[files->n - 1].in_rootfs = inside;
}

/* Those of the host alone: what is in another mount namespace cannot be looked up from here. */
static void add_mounts(FileUses *files, const Spec *spec, const char *bundle, const HostQueries *queries) {
        for (size_t i = 0; i < spec->n_mounts; i++)
                if (is_bind(&spec->mounts[i]) && !isempty(spec->mounts[i].source))
                        add_source(files, spec, bundle, queries, i);
}

/* startContainer hooks are the container's. */
static void add_hooks(FileUses *files, const Spec *spec) {
        for (SpecHookKind kind = 0; kind < _HOOK_KINDS; kind++)
                for (size_t i = 0; kind != HOOK_START_CONTAINER && i < spec->hooks[kind].n; i++)
                        add(files, arena_printf(&files->arena, "hooks.%s[%zu].path", spec_hook_names[kind], i),
                            spec->hooks[kind].hooks[i].path, FILE_EXECUTABLE, false);
}

void file_uses_build(const Spec *spec, const char *bundle, const HostQueries *queries, FileUses *ret) {
        const SpecNamespace *mount = spec_namespace(spec, CLONE_NEWNS);

        *ret = (FileUses){};
        if (!mount || !mount->path) {
                add(ret, "root.path", path_normalize(&ret->arena, bundle, spec->root_path), FILE_DIRECTORY, false);
                add_mounts(ret, spec, bundle, queries);
        }
        for (size_t i = 0; i < spec->linux_.n_namespaces; i++)
                if (spec->linux_.namespaces[i].path)
                        add(ret, arena_printf(&ret->arena, "linux.namespaces[%zu].path", i), spec->linux_.namespaces[i].path,
                            FILE_ANY, false);
        if (spec->linux_.seccomp && spec->linux_.seccomp->listener_path)
                add(ret, "linux.seccomp.listenerPath", spec->linux_.seccomp->listener_path, FILE_ANY, true);
        add_hooks(ret, spec);
}

static const char *environment(const SpecProcess *p, const char *name) {
        size_t n = strlen(name);

        for (const char **e = p->env; *e; e++)
                if (strncmp(*e, name, n) == 0 && (*e)[n] == '=')
                        return *e + n + 1;
        return NULL;
}

/* The kernel's own have no programs in them. */
static bool may_hold_programs(const SpecMount *m) {
        static const char *const types[] = { "proc", "sysfs", "cgroup", "cgroup2", "devpts", "mqueue", "tmpfs" };

        for (size_t i = 0; i < ELEMENTSOF(types); i++)
                if (m->type && streq(m->type, types[i]) && !is_bind(m))
                        return false;
        return true;
}

void file_uses_program(const Spec *spec, Arena *a, Strings *ret, bool *ret_covered) {
        const char *name = spec->process && spec->process->args ? spec->process->args[0] : NULL;

        *ret = (Strings){};
        *ret_covered = has_early_hooks(spec) || spec->hooks[HOOK_CREATE_CONTAINER].n > 0;
        for (size_t i = 0; i < spec->n_mounts; i++)
                *ret_covered = *ret_covered || may_hold_programs(&spec->mounts[i]);
        if (isempty(name))
                return;
        if (strchr(name, '/')) {
                strings_add(a, ret, path_normalize(a, spec->process->cwd, name));
                return;
        }
        for (const char *p = environment(spec->process, "PATH") ?: DEFAULT_PATH; *p;) {
                size_t n = strcspn(p, ":");

                if (p[0] == '/')
                        strings_add(a, ret, arena_printf(a, "%.*s/%s", (int) n, p, name));
                p += n + (p[n] == ':');
        }
}
