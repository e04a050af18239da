/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "basic/log.h"
#include "host/cgroup.h"
#include "host/end.h"
#include "host/observe.h"
#include "host/session.h"
#include "plan/init/build.h"
#include "runtime/exec-process.h"
#include "runtime/exec.h"
#include "runtime/filter.h"
#include "runtime/foreground.h"
#include "runtime/preserve.h"
#include "runtime/session.h"
#include "runtime/streams.h"
#include "steps/peer.h"
#include "steps/pid-file.h"
#include "steps/steps.h"

typedef struct Exec {
        const Runtime *rt;
        const ExecOptions *options;
        Store store;
        Container container;
        Spec *spec;                  /* the container's */
        char *process_file;          /* the bytes of --process, or NULL */
        size_t process_size;
        SpecProcess *process;
        bool asks;          /* systemd is to collect it, and calls us for it */
        Container *session; /* systemd has called us for this; or NULL */
        Filter filter;
        InitPlan plan;
        LaunchPlan launch;
        uint32_t preserve_fds;
        Streams *streams;            /* in the foreground, or NULL */
        int init, root, cgroup, console_socket, pidfd_socket;
        const char *cgroup_path;     /* of cgroup */
        StepContext steps;
        Operation operation;
} Exec;

static void exec_done(Exec *e) {
        operation_done(&e->operation);
        step_context_done(&e->steps);
        e->streams = streams_free(e->streams);
        e->console_socket = close_fd(e->console_socket);
        e->pidfd_socket = close_fd(e->pidfd_socket);
        e->cgroup = close_fd(e->cgroup);
        e->root = close_fd(e->root);
        e->init = close_fd(e->init);
        launch_plan_done(&e->launch);
        init_plan_done(&e->plan);
        filter_done(&e->filter);
        free(e->process_file);
        container_done(&e->container);
        store_done(&e->store);
}

static int find_container(Exec *e, Error *reterr) {
        const char *id = e->options->id;
        Status status;
        int r;

        r = store_open(e->rt->root, &e->rt->caller, false, &e->store, reterr);
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
        /* What waits to be started may be looked at by who has power over the user namespace that ours is in. */
        if (status == STATUS_CREATED && !e->rt->facts.privileged)
                return error_setf(reterr, EOPNOTSUPP, "cannot exec in container %s: it has to be started before an ordinary "
                                  "user can", id);
        return container_read_config(&e->container, &e->spec, reterr);
}

/* Of what runs in a supervised container systemd is the parent, too, unless the caller deals with the process himself: he hands
 * descriptors over. */
static int choose_parent(Exec *e, Error *reterr) {
        const ExecOptions *o = e->options;
        bool supervised = home_is_supervised(e->container.record.home);
        const char *given = o->console_socket              ? "--console-socket"
                            : o->pidfd_socket              ? "--pidfd-socket"
                            : o->preserve_fds > 0          ? "--preserve-fds"
                            : e->rt->caller.listen_fds > 0 ? "LISTEN_FDS"
                                                           : NULL;

        e->asks = !e->session && o->detach && supervised && !given;
        if (e->asks && !o->program)
                return error_setf(reterr, EOPNOTSUPP, "exec --detach: there is no program for systemd to call");
        if (!o->name || e->session)
                return 0;
        if (!session_name_is_valid(o->name))
                return error_setf(reterr, EINVAL,
                                  "--name: \"%s\" is not 1 to 40 of the letters, digits and \"_.-\", the first "
                                  "a letter or \"_\"",
                                  o->name);
        if (!o->detach)
                return error_setf(reterr, EINVAL, "--name: who does not go on without it (--detach) knows how it ends");
        if (!supervised)
                return error_setf(reterr, EOPNOTSUPP,
                                  "--name: nobody keeps how a process of container %s ends, as it is not "
                                  "supervised (run --supervise)",
                                  o->id);
        return given ? error_setf(reterr, EINVAL,
                                  "--name: what systemd starts has no descriptors or sockets of yours (%s)", given)
                     : 0;
}

/* A session gets others than who asks for it has. */
static CallerStdio look_at_stdio(const Exec *e) {
        const CallerStdio none = {};

        return e->asks ? none : streams_look(&e->rt->caller);
}

static int plan(Exec *e, Error *reterr) {
        const Caller *caller = &e->rt->caller;
        ExecRequest request = {
                .process = e->process,
                .namespaces = e->container.record.namespaces,
                .listen_fds = caller->listen_fds,
                .listen_fd_names = caller->listen_fd_names,
                .stdio = look_at_stdio(e),
                .launcher_stays = !e->options->detach,
                .keyring = e->container.record.keyring,
                .journal = home_is_supervised(e->container.record.home),
                .waits = e->session || e->container.record.rdt_group || e->options->pidfd_socket ||
                         (e->process->terminal && !e->options->console_socket), /* KEEP_TERMINAL */
        };
        int r;

        if (e->process->terminal && e->options->detach && !e->options->console_socket)
                return error_setf(reterr, EINVAL, "a detached process with a terminal needs --console-socket");
        if (!e->process->terminal && e->options->console_socket)
                return error_setf(reterr, EINVAL, "--console-socket: the process has no terminal");
        r = preserve_fds(caller, e->options->preserve_fds, &e->preserve_fds, reterr);
        if (r == 0)
                r = filter_get(&e->store, e->spec->linux_.seccomp, &e->filter, reterr);
        if (r < 0)
                return r;
        request.preserve_fds = e->preserve_fds;
        request.seccomp = e->filter.bpf;
        request.seccomp_size = e->filter.size;
        r = init_plan_build_exec(e->spec, &request, &e->rt->facts, &e->plan, reterr);
        log_warnings(r == 0 ? &e->plan.warnings : &e->spec->warnings);
        if (r == 0 && e->options->console_socket)
                r = e->console_socket = peer_connect(e->options->console_socket, reterr);
        if (r >= 0 && e->options->pidfd_socket)
                r = e->pidfd_socket = peer_connect(e->options->pidfd_socket, reterr);
        return r < 0 ? r : 0;
}

/* --- the launch ------------------------------------------------------------------------------------------------- */

/* --cgroup is meant from the container's own, wherever in it a systemd has put its first process. */
static int open_named_cgroup(Exec *e, int own, Error *reterr) {
        const char *name = e->options->cgroup + strspn(e->options->cgroup, "/");
        int r = own;

        if (own >= 0)
                r = open_at(own, isempty(name) ? "." : name, O_RDONLY | O_DIRECTORY, 0,
                            RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
        if (r < 0)
                return error_errnof(reterr, r, "--cgroup: cannot open %s in the cgroup of container %s", e->options->cgroup,
                                    e->options->id);
        e->cgroup_path = path_normalize(&e->spec->arena, e->container.record.cgroup, name);
        return r;
}

/* Where its first process is now, which may be below where it was put. If it has left its scope, whoever may go everywhere
 * can look for the reason: in what is left of the scope, or beside it. */
static int open_usual_cgroup(Exec *e, int own, Error *reterr) {
        const Record *record = &e->container.record;
        _cleanup_free_ char *path = NULL;
        bool there = cgroup_of_pid(record->pid, &path) == 0, left = own < 0 || !there || !path_is_below(path, record->cgroup);
        int r;

        if (left && (!there || !e->rt->facts.privileged || record->user_manager))
                return error_setf(reterr, EBUSY, "cannot exec in container %s: its process has left its cgroup",
                                  e->options->id);
        e->cgroup_path = arena_strdup(&e->spec->arena, left && own >= 0 ? record->cgroup : path);
        if (left)
                log_at(LOG_WARNING, "container %s: its process has left its cgroup for %s; the command goes to %s",
                       e->options->id, path, e->cgroup_path);
        r = cgroup_open(e->cgroup_path);
        return r < 0 ? error_errnof(reterr, r, "cannot open the cgroup of container %s", e->options->id) : r;
}

static int find_cgroup(Exec *e, Error *reterr) {
        _cleanup_close_ int own = -EBADF;

        if (e->container.record.home == HOME_NONE)
                return 0;
        own = container_open_cgroup(&e->container);
        e->cgroup = e->options->cgroup ? open_named_cgroup(e, own, reterr) : open_usual_cgroup(e, own, reterr);
        if (e->cgroup < 0)
                return e->cgroup;
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

static void fill_context(Exec *e) {
        const Caller *caller = &e->rt->caller;
        StepContext *s = &e->steps;

        const bool apart =
                e->session && e->container.record.user_manager; /* systemd takes it as the main process then */

        s->rt = e->rt;
        s->container = &e->container;
        s->session = e->session;
        s->cgroup = e->cgroup;
        s->operation = &e->operation;
        s->spec = e->spec;
        s->process = e->process;
        s->init = &e->plan;
        s->id = e->options->id;
        s->bundle = e->container.record.bundle;
        s->cgroup_path = e->cgroup_path;
        s->status = "running";
        s->console_socket = e->console_socket;
        s->pidfd_socket = e->pidfd_socket;
        s->request = (LaunchRequest){
                .id = e->options->id,
                .plan = &e->plan,
                .preserve_fds = e->preserve_fds,
                .target = e->init,
                .root = e->root,
                .cgroup = apart ? -EBADF : e->cgroup,
                .cgroup_path = apart ? NULL : e->cgroup_path,
                .stdio = { streams_inside(e->streams, caller, 0), streams_inside(e->streams, caller, 1),
                           streams_inside(e->streams, caller, 2) },
                .cpus = e->process->cpu_affinity_initial,
        };
}

/* For who has asked. When it is undone the process has ended, and with that systemd ends us. */
static void keep_failure(void *context, const Error *error) {
        const StepContext *c = context;

        if (error)
                end_keep_failure(c->session, error->message);
}

static int start(Exec *e, Error *reterr) {
        const Record *record = &e->container.record;
        const LaunchExec what = {
                .init = &e->plan,
                .rdt_group = record->rdt_group,
                .rdt_monitor = record->rdt_monitored ? record->id : NULL,
                .sends_terminal = e->console_socket >= 0,
                .sends_pidfd = e->pidfd_socket >= 0,
                .pid_file = e->options->pid_file,
                .session = e->session,
                .apart = record->user_manager,
        };
        int r = record->rdt_group ? e->steps.resctrl = resctrl_open(reterr) : 0;

        if (r < 0)
                return r;
        fill_context(e);
        launch_plan_exec(&what, &e->launch);
        e->operation =
                (Operation){ .kinds = step_kinds, .context = &e->steps, .failed = e->session ? keep_failure : NULL };
        return operation_run(&e->operation, &e->launch, reterr);
}

static int explain(const Exec *e, int r, Error *reterr) {
        return container_blame_end(&e->container, "exec in", r, reterr);
}

static int serve(Exec *e, Foreground *f, int *ret_status, Error *reterr) {
        int status = 0,
            r = foreground_serve(f, &e->rt->caller, &e->steps.launch, e->streams, TAKE_FD(e->steps.console), reterr);

        if (r == 0)
                r = foreground_wait(f, UINT64_MAX, &status, reterr);
        if (r == 0)
                *ret_status = exit_status_of_wait(status);
        return r;
}

static int prepare(Exec *e, Error *reterr) {
        const ExecOptions *o = e->options;
        int r;

        r = find_container(e, reterr);
        if (r == 0 && o->pid_file) /* of an earlier exec: its presence says success */
                pid_file_remove(o->pid_file);
        if (r == 0)
                r = choose_parent(e, reterr);
        if (r == 0 && !e->process_file)
                r = exec_read_process(o, &e->process_file, &e->process_size, reterr);
        if (r == 0)
                r = exec_process(o, e->process_file, e->process_size, e->spec, &e->process, reterr);
        if (r == 0)
                r = plan(e, reterr);
        if (r == 0)
                r = explain(e, find_cgroup(e, reterr), reterr);
        return r < 0 ? r : explain(e, find_root(e, reterr), reterr);
}

#define EXEC_NEW(runtime, opts)                  \
        ((Exec){ .rt = (runtime),                \
                 .options = (opts),              \
                 .store = { .fd = -EBADF },      \
                 .container = { .dir = -EBADF }, \
                 .init = -EBADF,                 \
                 .root = -EBADF,                 \
                 .cgroup = -EBADF,               \
                 .console_socket = -EBADF,       \
                 .pidfd_socket = -EBADF,         \
                 .steps = STEP_CONTEXT_NONE })
#define _cleanup_exec_ _cleanup_(exec_done)

int exec_session(const Runtime *rt, const SessionRequest *request, Container *session, Error *reterr) {
        ExecOptions o = request->options;
        _cleanup_exec_ Exec e = EXEC_NEW(rt, &o);
        int r;

        o.detach = true;
        e.session = session;
        if (request->process) {
                e.process_file = xstrdup(request->process);
                e.process_size = request->process_size;
        }
        r = prepare(&e, reterr);
        return r < 0 ? r : explain(&e, start(&e, reterr), reterr);
}

static int ask(Exec *e, char **ret_session, Error *reterr) {
        const SessionRequest request = { .options = *e->options,
                                         .process = e->process_file,
                                         .process_size = e->process_size };

        return session_begin(e->rt, &request, &e->container, ret_session, reterr);
}

int runtime_exec(const Runtime *rt, const ExecOptions *options, int *ret_status, char **ret_session, Error *reterr) {
        _cleanup_exec_ Exec e = EXEC_NEW(rt, options);
        _cleanup_foreground_ Foreground f = FOREGROUND_NONE;
        int r;

        *ret_status = 0;
        *ret_session = NULL;
        r = prepare(&e, reterr);
        if (r < 0)
                return r;
        if (options->detach)
                return explain(&e, e.asks ? ask(&e, ret_session, reterr) : start(&e, reterr), reterr);
        r = foreground_begin(&f, reterr);
        if (r < 0)
                return r;
        r = streams_new(&rt->caller, e.plan.piped, &e.streams, reterr) ?: explain(&e, start(&e, reterr), reterr);
        return r < 0 ? r : serve(&e, &f, ret_status, reterr);
}
