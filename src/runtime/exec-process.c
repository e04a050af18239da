/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/exec-process.h"

#include <errno.h>

#include "basic/file.h"

#define FILE_MAX_BYTES (64UL * 1024 * 1024)

static int from_command(const ExecOptions *o, Spec *spec, SpecProcess **ret, Error *reterr) {
        SpecProcess *p = spec->process;

        if (!p)
                return error_setf(reterr, EINVAL, "process: not set in config.json, so exec needs --process");
        if (!o->args || !o->args[0])
                return error_setf(reterr, EINVAL, "exec needs a command, or --process");
        p->args = (const char **) o->args;
        p->terminal = false;
        *ret = p;
        return 0;
}

/* What a process.json leaves out is as the container's own process has it: it is to be no less confined for that. */
static void inherit(SpecProcess *p, const SpecProcess *from) {
        p->apparmor_profile = p->apparmor_profile ?: from->apparmor_profile;
        p->selinux_label = p->selinux_label ?: from->selinux_label;
        if (!p->has_capabilities) {
                p->has_capabilities = from->has_capabilities;
                p->capabilities = from->capabilities;
        }
        if (!p->has_user) {
                p->uid = from->uid;
                p->gid = from->gid;
                p->additional_gids = from->additional_gids;
                p->n_additional_gids = from->n_additional_gids;
        }
        p->umask = p->umask.set ? p->umask : from->umask;
        if (p->n_rlimits == 0) {
                p->rlimits = from->rlimits;
                p->n_rlimits = from->n_rlimits;
        }
        p->oom_score_adj = p->oom_score_adj.set ? p->oom_score_adj : from->oom_score_adj;
        p->scheduler = p->scheduler ?: from->scheduler;
        p->io_priority = p->io_priority.set ? p->io_priority : from->io_priority;
        if (!p->cpu_affinity_initial && !p->cpu_affinity_final) {
                p->cpu_affinity_initial = from->cpu_affinity_initial;
                p->cpu_affinity_final = from->cpu_affinity_final;
        }
}

static int from_file(const ExecOptions *o, const char *bytes, size_t size, Spec *spec, SpecProcess **ret,
                     Error *reterr) {
        int r;

        if (o->args && o->args[0])
                return error_setf(reterr, EINVAL, "exec takes a command or --process, not both");
        r = spec_parse_process(spec, bytes, size, ret, reterr);
        if (r < 0)
                return error_prefixf(reterr, "%s", o->process_file);
        if (spec->process)
                inherit(*ret, spec->process);
        return 0;
}

/* "uid" or "uid:gid", decimal and nothing else: names would have to be looked up in the container's files. */
static int set_user(SpecProcess *p, const char *s, Error *reterr) {
        _cleanup_free_ char *copy = xstrdup(s ?: "");
        char *colon = strchr(copy, ':');
        uint32_t gid = 0;

        if (!s)
                return 0;
        if (colon)
                *colon = '\0';
        if (parse_u32(copy, &p->uid) < 0 || p->uid == UINT32_MAX ||
            (colon && (parse_u32(colon + 1, &gid) < 0 || gid == UINT32_MAX)))
                return error_setf(reterr, EINVAL, "--user: expected UID or UID:GID in decimal, got \"%s\"", s);
        if (colon)
                p->gid = gid;
        return 0;
}

static size_t count(const char **list) {
        size_t n = 0;

        while (list && list[n])
                n++;
        return n;
}

/* Behind the others: of those with the same name the last one counts. */
static int add_env(SpecProcess *p, const char **new, Arena *a, Error *reterr) {
        size_t n_old = count(p->env), n_new = count(new);
        const char **env = arena_calloc(a, n_old + n_new + 1, sizeof(*env));

        for (size_t i = 0; i < n_new; i++)
                if (!strchr(new[i], '=') || new[i][0] == '=')
                        return error_setf(reterr, EINVAL, "--env: expected NAME=VALUE, got \"%s\"", new[i]);
        for (size_t i = 0; i < n_old + n_new; i++)
                env[i] = i < n_old ? p->env[i] : new[i - n_old];
        p->env = env;
        return 0;
}

/* root's are not inheritable: that would hand them to programs with file capabilities (CVE-2022-29162). Any other
 * user keeps across the execve(2) only ambient ones, which have to be inheritable. */
static int add_capabilities(SpecProcess *p, const char **names, Error *reterr) {
        SpecCapabilities *c = &p->capabilities;

        for (; names && *names; names++) {
                uint64_t bit = spec_capability(*names);

                if (!bit)
                        return error_setf(reterr, EINVAL, "--cap: unknown capability \"%s\"%s", *names,
                                          startswith(*names, "CAP_") ? "" : ": they begin with CAP_");
                p->has_capabilities = true;
                c->bounding |= bit;
                c->effective |= bit;
                c->permitted |= bit;
                if (p->uid != 0) {
                        c->inheritable |= bit;
                        c->ambient |= bit;
                }
        }
        return 0;
}

static int add_groups(SpecProcess *p, const char **list, Arena *a, Error *reterr) {
        size_t n = p->n_additional_gids, added = count(list);
        uint32_t *gids = arena_calloc(a, n + added, sizeof(*gids));

        if (added == 0)
                return 0;
        if (n > 0)
                memcpy(gids, p->additional_gids, n * sizeof(*gids));
        for (size_t i = 0; i < added; i++)
                if (parse_u32(list[i], &gids[n + i]) < 0 || gids[n + i] == UINT32_MAX)
                        return error_setf(reterr, EINVAL, "--additional-gids: expected a decimal number, got \"%s\"",
                                          list[i]);
        p->additional_gids = gids;
        p->n_additional_gids = n + added;
        return 0;
}

int exec_read_process(const ExecOptions *o, char **ret, size_t *ret_size, Error *reterr) {
        int r = o->process_file ? read_file_at(AT_FDCWD, o->process_file, FILE_MAX_BYTES, ret, ret_size) : 0;

        return r < 0 ? error_errnof(reterr, r, "cannot read --process %s", o->process_file) : 0;
}

int exec_process(const ExecOptions *o, const char *bytes, size_t size, Spec *spec, SpecProcess **ret, Error *reterr) {
        SpecProcess *p = NULL;
        int r;

        spec->warnings = (Strings){}; /* they are about the container, and were told when it was made */
        r = o->process_file ? from_file(o, bytes, size, spec, &p, reterr) : from_command(o, spec, &p, reterr);
        if (r < 0 || !p)
                return r;
        if (o->cwd && o->cwd[0] != '/')
                return error_setf(reterr, EINVAL, "--cwd: \"%s\" is not absolute", o->cwd);
        p->cwd = o->cwd ?: p->cwd;
        p->terminal = p->terminal || o->tty;
        p->selinux_label = o->process_label ?: p->selinux_label;
        p->apparmor_profile = o->apparmor ?: p->apparmor_profile;
        p->no_new_privileges = o->no_new_privs_set ? o->no_new_privs : p->no_new_privileges;
        r = set_user(p, o->user, reterr);
        if (r == 0)
                r = add_env(p, o->env, &spec->arena, reterr);
        if (r == 0)
                r = add_capabilities(p, o->caps, reterr);
        if (r == 0)
                r = add_groups(p, o->additional_gids, &spec->arena, reterr);
        *ret = p;
        return r;
}
