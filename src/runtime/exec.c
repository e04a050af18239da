/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <sys/capability.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "host/cgroup.h"
#include "plan/init-build.h"
#include "runtime/creation.h"
#include "runtime/foreground.h"
#include "runtime/listener.h"

#define FILE_MAX_BYTES (64UL * 1024 * 1024)

typedef struct Exec {
        const Runtime *rt;
        const ExecOptions *options;
        Store store;
        Container container;
        char *config;
        Spec *spec;
        SpecProcess *process;
        Filter filter;
        InitPlan plan;
        int born_in;
        int init, root, cgroup, console_socket, pidfd_socket, console;
        Launch launch;
} Exec;

static void exec_done(Exec *e) {
        launch_done(&e->launch);
        e->console = close_fd(e->console);
        e->console_socket = close_fd(e->console_socket);
        e->pidfd_socket = close_fd(e->pidfd_socket);
        e->cgroup = close_fd(e->cgroup);
        e->root = close_fd(e->root);
        e->init = close_fd(e->init);
        init_plan_done(&e->plan);
        filter_done(&e->filter);
        e->spec = spec_free(e->spec);
        free(e->config);
        container_done(&e->container);
        store_done(&e->store);
}

static int find_container(Exec *e, Error *reterr) {
        const char *id = e->options->id;
        Status status;
        size_t size;
        int r;

        r = store_open(e->rt->root, false, &e->store, reterr);
        if (r == 0)
                r = container_open(&e->store, id, LOCK_NONE, &e->container, reterr);
        if (r < 0)
                return r;
        e->init = container_open_init(&e->container);
        status = container_status(&e->container);
        if (e->init < 0 || status == STATUS_STOPPED)
                return error_setf(reterr, EBUSY, "cannot exec in container %s: container not running", id);
        if (status == STATUS_PAUSED && !e->options->ignore_paused)
                return error_setf(reterr, EBUSY, "cannot exec in container %s: it is paused (--ignore-paused overrides)", id);
        r = read_file_at(e->container.dir, "config.json", FILE_MAX_BYTES, &e->config, &size);
        if (r < 0)
                return error_errnof(reterr, r, "cannot read the copy of config.json of container %s", id);
        return spec_parse(e->config, size, &e->spec, reterr);
}

/* --- the process ------------------------------------------------------------------------------------------------ */

/* "uid" or "uid:gid", decimal and nothing else: names would have to be looked up in the container's files. */
static int parse_user(const char *s, SpecProcess *process, Error *reterr) {
        _cleanup_free_ char *copy = xstrdup(s);
        char *colon = strchr(copy, ':');
        uint32_t gid = 0;

        if (colon)
                *colon = '\0';
        if (parse_u32(copy, &process->uid) < 0 || process->uid == UINT32_MAX ||
            (colon && (parse_u32(colon + 1, &gid) < 0 || gid == UINT32_MAX)))
                return error_setf(reterr, EINVAL, "--user: expected UID or UID:GID in decimal, got \"%s\"", s);
        if (colon)
                process->gid = gid;
        return 0;
}

static size_t count(const char *const *list) {
        size_t n = 0;

        while (list && list[n])
                n++;
        return n;
}

/* The process's environment with these added, the later of two with the same name last and alone. */
static int add_env(Exec *e, Error *reterr) {
        const char *const *old = (const char *const *) e->process->env, *const *new = (const char *const *) e->options->env;
        size_t n_new = count(new), n = 0;
        const char **env = arena_calloc(&e->spec->arena, count(old) + n_new + 1, sizeof(char *));

        for (size_t i = 0; i < n_new; i++)
                if (!strchr(new[i], '=') || new[i][0] == '=')
                        return error_setf(reterr, EINVAL, "--env: expected NAME=VALUE, got \"%s\"", new[i]);
        for (const char *const *p = old; p && *p; p++) {
                bool replaced = false;

                for (size_t i = 0; i < n_new; i++)
                        replaced |= strncmp(*p, new[i], (size_t) (strchr(new[i], '=') - new[i]) + 1) == 0;
                if (!replaced)
                        env[n++] = *p;
        }
        for (size_t i = 0; i < n_new; i++)
                env[n++] = new[i];
        e->process->env = env;
        return 0;
}

/* Not inheritable: that would hand them to programs with file capabilities (CVE-2022-29162). */
static int add_caps(Exec *e, Error *reterr) {
        SpecCapabilities *c = &e->process->capabilities;

        for (const char *const *p = (const char *const *) e->options->caps; p && *p; p++) {
                cap_value_t cap;

                if (!startswith(*p, "CAP_") || cap_from_name(*p, &cap) < 0)
                        return error_setf(reterr, EINVAL, "--cap: unknown capability \"%s\"", *p);
                c->bounding |= 1ULL << cap;
                c->effective |= 1ULL << cap;
                c->permitted |= 1ULL << cap;
        }
        if (e->options->caps)
                e->process->has_capabilities = true;
        return 0;
}

static int add_groups(Exec *e, Error *reterr) {
        const char *const *list = (const char *const *) e->options->additional_gids;
        size_t n = e->process->n_additional_gids, added = count(list);
        uint32_t *gids = arena_calloc(&e->spec->arena, n + added + 1, sizeof(uint32_t));

        if (added == 0)
                return 0;
        if (n > 0)
                memcpy(gids, e->process->additional_gids, n * sizeof(uint32_t));
        for (size_t i = 0; i < added; i++)
                if (parse_u32(list[i], &gids[n + i]) < 0 || gids[n + i] == UINT32_MAX)
                        return error_setf(reterr, EINVAL, "--additional-gids: expected a decimal number, got \"%s\"", list[i]);
        e->process->additional_gids = gids;
        e->process->n_additional_gids = n + added;
        return 0;
}

static int process_from_options(Exec *e, Error *reterr) {
        const ExecOptions *o = e->options;
        int r;

        if (!e->spec->process)
                return error_setf(reterr, EINVAL, "process: not set in config.json, so exec needs --process");
        e->process = e->spec->process;
        if (!o->args || !o->args[0])
                return error_setf(reterr, EINVAL, "exec needs a command, or --process");
        e->process->args = (const char **) o->args;
        e->process->terminal = o->tty;
        e->process->cwd = o->cwd ?: e->process->cwd;
        if (e->process->cwd[0] != '/')
                return error_setf(reterr, EINVAL, "--cwd: \"%s\" is not absolute", e->process->cwd);
        e->process->selinux_label = o->process_label ?: e->process->selinux_label;
        e->process->apparmor_profile = o->apparmor ?: e->process->apparmor_profile;
        if (o->no_new_privs_set)
                e->process->no_new_privileges = o->no_new_privs;
        r = o->user ? parse_user(o->user, e->process, reterr) : 0;
        if (r == 0)
                r = add_env(e, reterr);
        if (r == 0)
                r = add_caps(e, reterr);
        return r < 0 ? r : add_groups(e, reterr);
}

static int process_from_file(Exec *e, Error *reterr) {
        _cleanup_free_ char *bytes = NULL;
        size_t size;
        int r;

        r = read_file_at(AT_FDCWD, e->options->process_file, FILE_MAX_BYTES, &bytes, &size);
        if (r < 0)
                return error_errnof(reterr, r, "cannot read --process %s", e->options->process_file);
        r = spec_parse_process(e->spec, bytes, size, &e->process, reterr);
        if (r == 0 && e->options->tty)
                e->process->terminal = true;
        return r;
}

static int plan(Exec *e, Error *reterr) {
        ExecRequest request = {
                .process = e->process,
                .namespaces = e->container.record.namespaces,
                .preserve_fds = e->options->preserve_fds,
                .id = e->options->id,
        };
        int r;

        if (e->process->terminal && e->options->detach && !e->options->console_socket)
                return error_setf(reterr, EINVAL, "a detached process with a terminal needs --console-socket");
        if (!e->process->terminal && e->options->console_socket)
                return error_setf(reterr, EINVAL, "--console-socket: the process has no terminal");
        r = filter_get(&e->store, e->spec->linux_.seccomp, &e->filter, reterr);
        if (r < 0)
                return r;
        request.seccomp = e->filter.bpf;
        request.seccomp_size = e->filter.size;
        e->born_in = init_plan_exec_born_in(&request, &e->rt->facts);
        r = init_plan_build_exec(e->spec, &request, &e->rt->facts, &e->plan, reterr);
        if (r == 0 && e->options->console_socket)
                r = e->console_socket = console_connect(e->options->console_socket, reterr);
        if (r >= 0 && e->options->pidfd_socket)
                r = e->pidfd_socket = console_connect(e->options->pidfd_socket, reterr);
        return r < 0 ? r : 0;
}

/* --- the launch ------------------------------------------------------------------------------------------------- */

/* Where init is now, which may be below where it was put; it must not have left its scope. */
static int find_cgroup(Exec *e, Error *reterr) {
        _cleanup_free_ char *path = NULL;
        int r;

        if (!e->container.record.unit)
                return 0;
        r = cgroup_of_pid(e->container.record.pid, &path);
        if (r < 0 || !path_is_below(path, e->container.record.cgroup))
                return error_setf(reterr, EBUSY, "cannot exec in container %s: its process has left its cgroup",
                                  e->options->id);
        e->cgroup = cgroup_open(path);
        if (e->cgroup >= 0 && e->options->cgroup) {
                int below = open_at(e->cgroup, e->options->cgroup + strspn(e->options->cgroup, "/"), O_RDONLY | O_DIRECTORY,
                                    0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);

                close_fd(e->cgroup);
                e->cgroup = below;
        }
        if (e->cgroup < 0)
                return error_errnof(reterr, e->cgroup, "cannot open the cgroup of container %s", e->options->id);
        if (!e->options->ignore_paused && cgroup_is_frozen(e->cgroup)) /* by the container itself, below its scope */
                return error_setf(reterr, EBUSY, "cannot exec in container %s: its process has been frozen "
                                  "(--ignore-paused overrides)", e->options->id);
        return 0;
}

/* Where it is not the root of its mount namespace. */
static int find_root(Exec *e, Error *reterr) {
        char path[64];

        if (init_plan_has_own_root(e->spec))
                return 0;
        snprintf(path, sizeof(path), "/proc/%d/root", e->container.record.pid);
        e->root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (e->root < 0 || pidfd_has_exited(e->init)) /* after the open: what we opened is the container's */
                return error_errnof(reterr, e->root < 0 ? errno : ESRCH, "cannot open the root of container %s",
                                    e->options->id);
        return 0;
}

static int spawn(Exec *e, Error *reterr) {
        LaunchRequest request = {
                .id = e->options->id,
                .plan = &e->plan,
                .preserve_fds = e->options->preserve_fds,
                .gate = -EBADF,
                .target = e->init,
                .root = e->root,
                .born_in = e->born_in,
                .cgroup = e->container.record.unit ? e->cgroup : -EBADF,
                .stdio = { -EBADF, -EBADF, -EBADF },
        };

        return launch_spawn(&request, &e->launch, reterr);
}

static int send_listener(const Exec *e, int fd, Error *reterr) {
        const ListenerState state = { .id = e->options->id, .bundle = e->container.record.bundle, .status = "running",
                                      .pid = e->launch.pid, .init = e->container.record.pid };

        return listener_send(e->spec, &state, fd, reterr);
}

/* One message; 1 when the process is ready. */
static int answer(Exec *e, Error *reterr) {
        _cleanup_close_ int fd = -EBADF;
        InitMessage message;
        int type;

        type = launch_receive(&e->launch, &message, &fd, reterr);
        if (type <= 0)
                return type < 0 ? type : error_setf(reterr, EIO, "the process ended while it was set up");
        if (type == INIT_MSG_CONSOLE && e->console_socket >= 0)
                return console_send(e->console_socket, "/dev/ptmx", fd, reterr);
        if (type == INIT_MSG_LISTENER)
                return send_listener(e, fd, reterr);
        if (type == INIT_MSG_CONSOLE)
                e->console = TAKE_FD(fd);
        return type == INIT_MSG_READY;
}

static int start(Exec *e, Error *reterr) {
        InitMessage message;
        int r;

        r = spawn(e, reterr);
        if (r == 0) /* it was born there */
                r = launch_send(&e->launch, INIT_MSG_CGROUP, reterr);
        while (r == 0)
                r = answer(e, reterr);
        if (r > 0 && e->pidfd_socket >= 0)
                r = MIN(console_send(e->pidfd_socket, "pidfd", e->launch.pidfd, reterr), 0) ?: 1;
        if (r > 0)
                r = launch_send(&e->launch, INIT_MSG_GO, reterr);
        if (r == 0)
                r = launch_receive(&e->launch, &message, NULL, reterr);
        /* Only now: an engine takes a pid file for success. */
        if (r == 0 && e->options->pid_file)
                r = write_pid_file(e->options->pid_file, e->launch.pid, reterr);
        if (r < 0)
                launch_kill(&e->launch);
        return r;
}

/* Whatever was in the way: was it the end of the container? */
static int explain(const Exec *e, int r, Error *reterr) {
        if (r >= 0 || !pidfd_has_exited(e->init))
                return r;
        if (reterr)
                error_done(reterr);
        return error_setf(reterr, EBUSY, "cannot exec in container %s: container not running", e->options->id);
}

static int serve(Exec *e, int signals, int *ret_status, Error *reterr) {
        _cleanup_(console_done) Console console = { .master = -EBADF };
        bool terminal = e->console >= 0;
        int r = 0;

        if (terminal)
                r = console_begin(&console, TAKE_FD(e->console), reterr);
        return r < 0 ? r : foreground_wait(&e->launch, signals, terminal ? &console : NULL, UINT64_MAX, ret_status,
                                       reterr);
}

int runtime_exec(const Runtime *rt, const ExecOptions *options, int *ret_status, Error *reterr) {
        _cleanup_(exec_done) Exec e = {
                .rt = rt, .options = options, .store = { .fd = -EBADF }, .container = { .dir = -EBADF },
                .init = -EBADF, .root = -EBADF, .cgroup = -EBADF, .console_socket = -EBADF, .pidfd_socket = -EBADF,
                .console = -EBADF, .launch = LAUNCH_NONE,
        };
        _cleanup_close_ int signals = -EBADF;
        sigset_t before;
        int r;

        *ret_status = 0;
        if (options->pid_file) /* of an earlier exec: its presence says success */
                (void) unlink(options->pid_file);
        r = find_container(&e, reterr);
        if (r == 0)
                r = options->process_file ? process_from_file(&e, reterr) : process_from_options(&e, reterr);
        if (r == 0)
                r = plan(&e, reterr);
        if (r == 0)
                r = explain(&e, find_cgroup(&e, reterr), reterr);
        if (r == 0)
                r = explain(&e, find_root(&e, reterr), reterr);
        if (r < 0)
                return r;
        if (options->detach)
                return explain(&e, start(&e, reterr), reterr);
        signals = foreground_begin(&before, reterr);
        if (signals < 0)
                return signals;
        r = explain(&e, start(&e, reterr), reterr);
        return r < 0 ? r : serve(&e, signals, ret_status, reterr);
}
