/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/creation.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "basic/log.h"
#include "host/cgroup.h"
#include "host/process.h"
#include "plan/init-build.h"
#include "runtime/console.h"
#include "runtime/hooks.h"
#include "runtime/listener.h"

#define CONFIG_MAX_BYTES (64UL * 1024 * 1024)
/* For taking a scope back. Its process is dead by then: what a manager that hangs has not done will fail. */
#define ABANDON_USEC 5000000ULL
#define CGROUP_FILE_MAX_BYTES 4096U

void creation_done(Creation *c) {
        launch_done(&c->launch);
        netdevices_done(&c->net_devices);
        c->console = close_fd(c->console);
        c->console_socket = close_fd(c->console_socket);
        c->pidfd_socket = close_fd(c->pidfd_socket);
        c->manager = manager_close(c->manager);
        container_done(&c->container);
        init_plan_done(&c->init);
        unit_plan_done(&c->unit);
        filter_done(&c->filter);
        c->spec = spec_free(c->spec);
        free(c->config);
        free(c->bundle);
        store_done(&c->store);
}

/* --- before anything exists ----------------------------------------------------------------------------------- */

/* A bundle may come from anybody: opening a FIFO would wait for whoever writes. */
static int read_bundle_config(Creation *c, int bundle) {
        _cleanup_close_ int fd = openat(bundle, "config.json", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
        return read_file_fd(fd, CONFIG_MAX_BYTES, &c->config, &c->config_size);
}

static int read_config(Creation *c, Error *reterr) {
        const char *file = c->options->config;
        _cleanup_close_ int bundle = -EBADF;
        int r;

        c->bundle = realpath(c->options->bundle, NULL);
        bundle = c->bundle ? open(c->bundle, O_PATH | O_DIRECTORY | O_CLOEXEC) : -EBADF;
        if (bundle < 0)
                return error_errnof(reterr, errno, "cannot open the bundle %s", c->options->bundle);
        r = file ? read_file_at(AT_FDCWD, file, CONFIG_MAX_BYTES, &c->config, &c->config_size)
                 : read_bundle_config(c, bundle);
        return r < 0 ? error_errnof(reterr, r, "cannot read %s in the bundle %s", file ?: "config.json", c->bundle) : 0;
}

static int check_console(const Creation *c, Error *reterr) {
        bool terminal = c->spec->process && c->spec->process->terminal;
        bool foreground = c->start_now && !c->options->detach;

        if (terminal && !foreground && !c->options->console_socket)
                return error_setf(reterr, EINVAL, "process.terminal: a detached container with a terminal needs "
                                  "--console-socket");
        if (!terminal && c->options->console_socket)
                return error_setf(reterr, EINVAL, "--console-socket: process.terminal is false");
        return 0;
}

/* The number of descriptors from 3 on that socket activation passed to this very process (sd_listen_fds(3)). */
static uint32_t listen_fds(void) {
        const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");
        uint32_t value, us;

        if (!pid || !n || parse_u32(pid, &us) < 0 || us != (uint32_t) getpid() || parse_u32(n, &value) < 0 || value > 1024)
                return 0;
        return value;
}

/* Device rules aside, which every engine writes. */
static bool resources_limit_anything(const SpecResources *r) {
        return r->memory.limit.set || r->memory.reservation.set || r->memory.swap.set || r->cpu.shares.set ||
               r->cpu.quota.set || r->cpu.cpus || r->cpu.mems || r->cpu.idle.set ||
               (r->pids_limit.set && r->pids_limit.v > 0) || r->block_io.weight.set || r->n_hugepage_limits > 0 ||
               r->n_rdma > 0 || r->n_unified > 0;
}

void log_warnings(const InitPlan *plan) {
        for (size_t i = 0; i < plan->warnings.n; i++)
                log_message(LOG_WARNING, "%s", plan->warnings.s[i]);
}

static int make_plans(Creation *c, Error *reterr) {
        Request request = {
                .id = c->options->id,
                .bundle = c->bundle,
                .start_now = c->start_now,
                .no_pivot = c->options->no_pivot,
                .no_new_keyring = c->options->no_new_keyring,
                .listen_fds = listen_fds(),
                .seccomp = c->filter.bpf,
                .seccomp_size = c->filter.size,
        };
        int r;

        /* Podman passes the same descriptors both ways; they are counted once. */
        request.preserve_fds = MAX(c->options->preserve_fds, request.listen_fds);
        request.listen_fd_names = request.listen_fds > 0 ? getenv("LISTEN_FDNAMES") : NULL;
        if (!c->manager && c->spec->linux_.resources && resources_limit_anything(c->spec->linux_.resources))
                return error_setf(reterr, EOPNOTSUPP, "linux.resources: there are no limits without a cgroup "
                                  "(--cgroup-manager=disabled)");
        if (c->manager) {
                r = unit_plan_build(c->spec, &request, &c->rt->facts, &c->unit, reterr);
                if (r < 0)
                        return r;
        }
        r = init_plan_build(c->spec, &request, &c->rt->facts, &c->init, reterr);
        if (r == 0)
                log_warnings(&c->init);
        return r;
}

int creation_plan(Creation *c, Error *reterr) {
        int r;

        if (!container_id_is_valid(c->options->id))
                return error_setf(reterr, EINVAL, "invalid container id \"%s\"", c->options->id);
        r = read_config(c, reterr);
        if (r < 0)
                return r;
        /* The bus's greeting takes as long as reading the configuration: both at once. */
        if (!c->rt->facts.cgroup_disabled)
                r = manager_open(c->rt->facts.rootless, &c->manager, reterr);
        if (r >= 0)
                r = spec_parse(c->config, c->config_size, &c->spec, reterr);
        if (r >= 0)
                r = check_console(c, reterr);
        if (r >= 0)
                r = store_open(c->rt->root, true, &c->store, reterr);
        if (r >= 0)
                r = filter_get(&c->store, c->spec->linux_.seccomp, &c->filter, reterr);
        if (r >= 0)
                r = make_plans(c, reterr);
        if (r >= 0 && c->options->console_socket)
                r = c->console_socket = console_connect(c->options->console_socket, reterr);
        if (r >= 0 && c->options->pidfd_socket)
                r = c->pidfd_socket = console_connect(c->options->pidfd_socket, reterr);
        return r < 0 ? r : 0;
}

/* --- the record ------------------------------------------------------------------------------------------------- */

static const char *timestamp(Arena *a) {
        struct timespec now;
        char text[64] = "";
        struct tm tm;

        (void) clock_gettime(CLOCK_REALTIME, &now);
        if (gmtime_r(&now.tv_sec, &tm))
                strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
        return arena_printf(a, "%s.%09ldZ", text, now.tv_nsec);
}

/* Write-ahead: enough to find and undo everything that comes after it. */
static int write_record(Creation *c, Error *reterr) {
        Record *record = &c->container.record;
        _cleanup_free_ char *boot = boot_id();
        Arena *a = &record->arena;
        int r;

        if (!boot)
                return error_errnof(reterr, errno, "cannot read the id of this boot");
        *record = (Record){
                .id = c->options->id,
                .oci_version = c->spec->oci_version,
                .bundle = c->bundle,
                .rootfs = path_normalize(a, c->bundle, c->spec->root_path),
                .created = timestamp(a),
                .owner = geteuid(),
                .boot_id = arena_strdup(a, boot),
                .user_manager = c->rt->facts.rootless,
                .unit = c->manager ? c->unit.name : NULL,
                .slice = c->manager ? c->unit.slice : NULL,
                .has_poststart = c->spec->hooks[HOOK_POSTSTART].n > 0,
                .has_poststop = c->spec->hooks[HOOK_POSTSTOP].n > 0,
                .stop_signal = spec_annotation(c->spec, "org.opencontainers.image.stopSignal"),
                .arena = record->arena,
        };
        for (size_t i = 0; i < c->spec->linux_.n_namespaces; i++)
                record->namespaces |= c->spec->linux_.namespaces[i].type;
        record->n_annotations = c->spec->n_annotations;
        record->annotations = arena_calloc(&record->arena, record->n_annotations, sizeof(RecordPair));
        for (size_t i = 0; i < record->n_annotations; i++)
                record->annotations[i] = (RecordPair){ c->spec->annotations[i].key, c->spec->annotations[i].value };
        r = write_file_atomic_at(c->container.dir, "config.json", c->config, c->config_size, 0600);
        if (r < 0)
                return error_errnof(reterr, r, "cannot keep a copy of config.json of container %s", c->container.id);
        return container_save(&c->container, reterr);
}

/* --- the process and its scope ---------------------------------------------------------------------------------- */

static int spawn(Creation *c, Error *reterr) {
        _cleanup_close_ int gate = -EBADF;
        LaunchRequest request = {
                .id = c->options->id,
                .mark = container_mark(&c->container),
                .plan = &c->init,
                .clone_flags = init_plan_clone_flags(c->spec),
                .preserve_fds = MAX(c->options->preserve_fds, listen_fds()),
                .target = -EBADF,
                .cgroup = -EBADF,
                .stdio = { -EBADF, -EBADF, -EBADF },
        };

        if (!c->start_now) {
                gate = container_listen_gate(&c->container, reterr);
                if (gate < 0)
                        return gate;
        }
        request.gate = gate;
        return launch_spawn(&request, &c->launch, reterr);
}

static int request_scope(Creation *c, Error *reterr) {
        if (!c->manager || c->scope_requested)
                return 0;
        c->scope_requested = true;
        return manager_start_scope(c->manager, &c->unit, c->launch.pid, c->launch.pidfd, reterr);
}

/* The container below its scope, and every controller there that the scope has: they can be handed down once the scope
 * itself has no process. */
static int enter_subgroup(const Creation *c, int scope, Error *reterr) {
        _cleanup_free_ char *controllers = NULL, *pid = xasprintf("%d", c->launch.pid);
        _cleanup_close_ int below = -EBADF;
        char *save = NULL;
        int r;

        r = mkdirat(scope, c->unit.subgroup, 0755) < 0 && errno != EEXIST ? -errno : 0;
        if (r == 0)
                r = below = openat(scope, c->unit.subgroup, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (r >= 0)
                r = write_kernel_file(below, "cgroup.procs", pid);
        if (r >= 0)
                r = read_file_at(scope, "cgroup.controllers", CGROUP_FILE_MAX_BYTES, &controllers, NULL);
        if (r < 0)
                return error_errnof(reterr, r, "cannot move the container's process to cgroup %s below its scope",
                                    c->unit.subgroup);
        for (char *name = strtok_r(controllers, " \n", &save); name; name = strtok_r(NULL, " \n", &save)) {
                _cleanup_free_ char *word = xasprintf("+%s", name);

                r = write_kernel_file(scope, "cgroup.subtree_control", word);
                if (r < 0)
                        return error_errnof(reterr, r, "cannot hand down controller %s to the container's cgroup", name);
        }
        return 0;
}

/* What no unit property says. */
static int write_cgroup_files(const Creation *c, int cgroup, Error *reterr) {
        for (size_t i = 0; i < c->unit.n_writes; i++) {
                const CgroupWrite *w = &c->unit.writes[i];
                int r;

                if (w->instead_of && !manager_dropped(c->manager, w->instead_of))
                        continue;
                r = write_kernel_file(cgroup, w->file, w->value);
                if (r < 0 && !(r == -ENOENT && w->optional))
                        return error_errnof(reterr, r, "%s: cannot write %s of the container's cgroup", w->path, w->file);
        }
        return 0;
}

/* The rest of the limits, and who owns the scope: its invocation id, which systemd keeps on the cgroup. */
static int settle_in_cgroup(Creation *c, Error *reterr) {
        _cleanup_free_ char *path = NULL;
        _cleanup_close_ int cgroup = -EBADF;
        Record *record = &c->container.record;
        char invocation[64];
        char fd_path[64];
        ssize_t n;
        int r;

        r = cgroup_of_pid(c->launch.pid, &path);
        if (r < 0 || !cgroup_belongs_to_unit(path, c->unit.slice, c->unit.name, false))
                return error_setf(reterr, EREMOTEIO, "systemd says that scope %s runs, but the container's process is in "
                                  "cgroup %s", c->unit.name, r < 0 ? "(none)" : path);
        record->cgroup = arena_strdup(&record->arena, path);
        cgroup = cgroup_open(path);
        if (cgroup < 0)
                return error_errnof(reterr, cgroup, "cannot open the container's cgroup %s", path);
        snprintf(fd_path, sizeof(fd_path), "/proc/self/fd/%d", cgroup);
        n = getxattr(fd_path, c->rt->facts.rootless ? "user.invocation_id" : "trusted.invocation_id", invocation,
                     sizeof(invocation) - 1);
        if (n > 0) {
                invocation[n] = '\0';
                record->invocation_id = arena_strdup(&record->arena, invocation);
        }
        /* Before anything but the helper runs in there: hooks of the container. */
        r = container_save(&c->container, reterr);
        if (r == 0)
                r = write_cgroup_files(c, cgroup, reterr);
        if (r == 0 && c->unit.subgroup)
                r = enter_subgroup(c, cgroup, reterr);
        return r < 0 ? r : launch_send(&c->launch, INIT_MSG_CGROUP, reterr);
}

static int run_runtime_hooks(Creation *c, Error *reterr) {
        HookState state = { .id = c->options->id, .bundle = c->bundle, .status = "creating", .pid = c->launch.pid };
        int r;

        c->hooked = true;
        r = hooks_run(c->spec, HOOK_PRESTART, &state, reterr);
        if (r == 0)
                r = hooks_run(c->spec, HOOK_CREATE_RUNTIME, &state, reterr);
        return r < 0 ? r : launch_send(&c->launch, INIT_MSG_HOOKS_DONE, reterr);
}

static int move_net_devices(Creation *c, int *fd, Error *reterr) {
        int r;

        if (*fd < 0)
                return error_setf(reterr, EBADMSG, "the helper sent no socket");
        r = netdevices_move(&c->net_devices, &c->spec->linux_, TAKE_FD(*fd), reterr);
        return r < 0 ? r : launch_send(&c->launch, INIT_MSG_NETWORK_DONE, reterr);
}

static int take_console(Creation *c, int *fd, Error *reterr) {
        if (*fd < 0)
                return error_setf(reterr, EBADMSG, "the helper sent no terminal");
        if (c->console_socket >= 0)
                return console_send(c->console_socket, "/dev/ptmx", *fd, reterr);
        c->console = TAKE_FD(*fd);
        return 0;
}

static int send_listener(const Creation *c, int fd, Error *reterr) {
        const ListenerState state = { .id = c->options->id, .bundle = c->bundle, .status = "creating",
                                      .pid = c->launch.pid, .init = c->launch.pid };

        return listener_send(c->spec, &state, fd, reterr);
}

/* One message of the helper; 1 when it is ready. */
static int answer(Creation *c, Error *reterr) {
        _cleanup_close_ int fd = -EBADF;
        InitMessage message;
        int type;

        type = launch_receive(&c->launch, &message, &fd, reterr);
        if (type <= 0)
                return type < 0 ? type : error_setf(reterr, EIO, "the container's process ended while it was set up");
        switch (type) {
        case INIT_MSG_PID:
                return 0;
        case INIT_MSG_MAP_ME:
                return launch_write_maps(&c->launch, &c->spec->linux_, reterr) ?:
                       launch_send(&c->launch, INIT_MSG_MAPPED, reterr);
        case INIT_MSG_HOOKS:
                return run_runtime_hooks(c, reterr);
        case INIT_MSG_NETWORK:
                return move_net_devices(c, &fd, reterr);
        case INIT_MSG_CONSOLE:
                return take_console(c, &fd, reterr);
        case INIT_MSG_LISTENER:
                return send_listener(c, fd, reterr);
        case INIT_MSG_READY:
                return 1;
        default:
                return error_setf(reterr, EBADMSG, "cannot understand the helper: message %d", type);
        }
}

static int dispatch_manager(Creation *c, bool *scope_ready, Error *reterr) {
        int r = manager_dispatch(c->manager, reterr);

        if (r <= 0)
                return r;
        *scope_ready = true;
        return settle_in_cgroup(c, reterr);
}

/* systemd and the helper work at the same time; we answer whoever speaks until the helper is ready. */
static int attend(Creation *c, Error *reterr) {
        uint64_t deadline = now_usec() + MANAGER_TIMEOUT_USEC;
        bool scope_ready = !c->manager, forks = init_plan_has(&c->init, INIT_FORK);
        pid_t first = c->launch.pid;
        int r;

        for (;;) {
                struct pollfd fds[] = { { .fd = c->launch.control, .events = POLLIN }, { .fd = -1 } };

                /* The scope wants the process that stays. */
                if (!forks || c->launch.pid != first) {
                        r = request_scope(c, reterr);
                        if (r < 0)
                                return r;
                }
                if (c->scope_requested && !scope_ready)
                        fds[1] = (struct pollfd){ .fd = manager_poll_fd(c->manager),
                                                  .events = manager_poll_events(c->manager) };
                r = poll(fds, ELEMENTSOF(fds), scope_ready ? -1 : poll_timeout(deadline));
                if (r == 0)
                        return error_setf(reterr, ETIMEDOUT, "systemd did not start scope %s in time", c->unit.name);
                if (r < 0 && errno != EINTR)
                        return error_errnof(reterr, errno, "cannot wait for the helper");
                r = fds[1].revents ? dispatch_manager(c, &scope_ready, reterr) : 0;
                if (r < 0)
                        return r;
                r = fds[0].revents ? answer(c, reterr) : 0;
                if (r != 0)
                        return r < 0 ? r : 0;
        }
}

/* --- commit ----------------------------------------------------------------------------------------------------- */

int write_pid_file(const char *path, pid_t pid, Error *reterr) {
        char text[16];
        int n = snprintf(text, sizeof(text), "%d", pid), r;

        r = write_file_atomic_at(AT_FDCWD, path, text, (size_t) n, 0644);
        return r < 0 ? error_errnof(reterr, r, "cannot write the pid file %s", path) : 0;
}

static int commit(Creation *c, Error *reterr) {
        Record *record = &c->container.record;
        ProcessStat stat;
        int r;

        r = process_stat(c->launch.pid, &stat);
        if (r < 0 || pidfd_has_exited(c->launch.pidfd))
                return error_setf(reterr, ESRCH, "the container's process ended before it was set up");
        record->pid = c->launch.pid;
        record->start_time = stat.start_time;
        record->committed = true;
        r = container_save(&c->container, reterr);
        if (r == 0 && c->pidfd_socket >= 0)
                r = console_send(c->pidfd_socket, "pidfd", c->launch.pidfd, reterr);
        if (r == 0 && c->options->pid_file)
                r = write_pid_file(c->options->pid_file, c->launch.pid, reterr);
        return r;
}

int creation_make(Creation *c, Error *reterr) {
        int r;

        r = container_create(&c->store, c->options->id, &c->container, reterr);
        if (r < 0)
                return r;
        c->made = true;
        r = write_record(c, reterr);
        if (r == 0)
                r = spawn(c, reterr);
        if (r == 0)
                r = attend(c, reterr);
        if (r == 0)
                r = commit(c, reterr);
        if (r < 0)
                creation_undo(c);
        return r;
}

int creation_release(Creation *c, Error *reterr) {
        InitMessage message;
        int r;

        r = launch_send(&c->launch, INIT_MSG_GO, reterr);
        if (r == 0 && c->start_now) /* until the exec, which closes the other end */
                r = launch_receive(&c->launch, &message, NULL, reterr);
        if (r < 0)
                creation_undo(c);
        else
                netdevices_done(&c->net_devices); /* who runs a container in the foreground keeps no namespace alive */
        return r < 0 ? r : 0;
}

static void run_poststop(const Creation *c) {
        HookState state = { .id = c->options->id, .bundle = c->bundle, .status = "stopped" };
        _cleanup_error_ Error error = {};

        if ((c->hooked || c->container.record.committed) && hooks_run(c->spec, HOOK_POSTSTOP, &state, &error) < 0)
                log_message(LOG_WARNING, "%s", error.message);
}

void creation_undo(Creation *c) {
        netdevices_return(&c->net_devices);
        launch_kill(&c->launch);
        if (c->scope_requested)
                manager_abandon_scope(c->manager, now_usec() + ABANDON_USEC);
        if (c->options->pid_file && c->container.record.committed)
                (void) unlink(c->options->pid_file);
        if (c->made)
                (void) container_remove(&c->store, &c->container, NULL);
        c->made = false;
        run_poststop(c);
}
