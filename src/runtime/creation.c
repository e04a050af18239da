/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/creation.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "basic/log.h"
#include "basic/loop.h"
#include "host/launch-finish.h"
#include "host/process.h"
#include "host/userns.h"
#include "plan/init/build.h"
#include "steps/listener.h"
#include "steps/ending.h"
#include "steps/hooks.h"
#include "steps/peer.h"
#include "steps/rootfs.h"

/* For taking a scope back. Its process is dead by then: what a manager that hangs has not done will fail. */
#define ABANDON_USEC 5000000ULL

void creation_done(Creation *c) {
        launch_done(&c->launch);
        c->streams = streams_free(c->streams);
        netdevices_done(&c->net_devices);
        c->resctrl = close_fd(c->resctrl);
        c->listener = close_fd(c->listener);
        c->rootfs = close_fd(c->rootfs);
        c->console = close_fd(c->console);
        c->notify = close_fd(c->notify);
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
                .created = timestamp(a),
                .owner = c->rt->caller.uid,
                .boot_id = arena_strdup(a, boot),
                .user_manager = c->rt->facts.rootless,
                .notifies = init_plan_comes_to(&c->init, INIT_NOTIFY, INIT_GATE),
                .keyring = c->keyring,
                .arena = record->arena,
        };
        record_plan(record, c->options->id, c->bundle, c->spec, &c->unit, &c->rdt);
        r = container_save(&c->container, reterr); /* first: a config.json without a record is a bundle */
        if (r < 0)
                return r;
        r = write_file_atomic_at(c->container.dir, "config.json", c->config, c->config_size, 0600);
        return r < 0 ? error_errnof(reterr, r, "cannot keep a copy of config.json of container %s", c->container.id) : 0;
}

/* --- the process, and what it says ------------------------------------------------------------------------------ */

static int spawn(Creation *c, Error *reterr) {
        const Caller *caller = &c->rt->caller;
        LaunchRequest request = {
                .id = c->options->id,
                .mark = container_mark(&c->container),
                .plan = &c->init,
                .clone_flags = init_plan_clone_flags(c->spec),
                .preserve_fds = c->preserve_fds,
                .target = -EBADF,
                .root = -EBADF,
                .cgroup = -EBADF,
                .stdio = { streams_inside(c->streams, caller, 0), streams_inside(c->streams, caller, 1),
                           streams_inside(c->streams, caller, 2) },
        };
        int r = launch_spawn(&request, &c->launch, reterr);

        if (r == 0)
                log_info("container %s: the helper runs, process %d", c->options->id, c->launch.pid);
        return r;
}

int creation_note_process(Creation *c, bool committed, Error *reterr) {
        Record *record = &c->container.record;
        ProcessStat stat;

        if (process_stat(c->launch.pid, &stat) < 0 || pidfd_has_exited(c->launch.pidfd))
                return error_setf(reterr, ESRCH, "the container's process ended before it was set up");
        record->pid = c->launch.pid;
        record->start_time = stat.start_time;
        record->committed = committed;
        return container_save(&c->container, reterr);
}

static int run_runtime_hooks(Creation *c, Error *reterr) {
        HookState state = { .id = c->options->id, .bundle = c->bundle, .status = "creating", .pid = c->launch.pid };
        int r;

        c->hooked = true;
        r = creation_note_process(c, false, reterr); /* for a hook that asks for our state */
        if (r == 0)
                r = hooks_run(&c->rt->caller, c->spec, HOOK_PRESTART, &state, reterr);
        if (r == 0)
                r = hooks_run(&c->rt->caller, c->spec, HOOK_CREATE_RUNTIME, &state, reterr);
        return r < 0 ? r : launch_send(&c->launch, INIT_MSG_HOOKS_DONE, reterr);
}

static int move_net_devices(Creation *c, int *fd, Error *reterr) {
        int r;

        if (*fd < 0)
                return error_setf(reterr, EBADMSG, "the helper sent no socket");
        r = netdevices_move(&c->net_devices, &c->spec->linux_, TAKE_FD(*fd), reterr);
        return r < 0 ? r : launch_send(&c->launch, INIT_MSG_NETWORK_DONE, reterr);
}

static int bind_gate(Creation *c, int fd, Error *reterr) {
        int r;

        if (fd < 0)
                return error_setf(reterr, EBADMSG, "the helper sent no socket");
        r = container_bind_gate(&c->container, fd, reterr);
        return r < 0 ? r : launch_send(&c->launch, INIT_MSG_BOUND, reterr);
}

static int take_console(Creation *c, int *fd, Error *reterr) {
        if (*fd < 0)
                return error_setf(reterr, EBADMSG, "the helper sent no terminal");
        if (c->console_socket >= 0)
                return peer_send(c->console_socket, "/dev/ptmx", *fd, reterr);
        terminal_prepare(&c->rt->caller, *fd);
        c->console = TAKE_FD(*fd);
        return 0;
}

/* The agent hears of the process that will be. */
static int send_listener(Creation *c, Error *reterr) {
        _cleanup_close_ int fd = launch_changes(&c->launch) ? -EBADF : TAKE_FD(c->listener);
        const ListenerState state = { .id = c->options->id, .bundle = c->bundle, .status = "creating",
                                      .pid = c->launch.pid, .init = c->launch.pid };

        return fd < 0 ? 0 : listener_send(c->spec, &state, fd, reterr);
}

/* The rootfs will be mounted where it outlives the container; until then it goes with its last descriptor. */
static int note_mount(Creation *c, int fd, Error *reterr) {
        int r = mount_id(fd, &c->container.record.mount_id);

        if (r < 0)
                return error_errnof(reterr, r, "root.path: cannot tell its mount from others");
        r = container_save(&c->container, reterr);
        return r < 0 ? r : launch_send(&c->launch, INIT_MSG_NOTED, reterr);
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
                return userns_write_maps(&c->launch, &c->spec->linux_, reterr) ?:
                       launch_send(&c->launch, INIT_MSG_MAPPED, reterr);
        case INIT_MSG_MOUNT:
                return note_mount(c, fd, reterr);
        case INIT_MSG_DETACHED:
                c->rootfs = TAKE_FD(fd);
                return note_mount(c, c->rootfs, reterr);
        case INIT_MSG_HOOKS:
                return run_runtime_hooks(c, reterr);
        case INIT_MSG_NETWORK:
                return move_net_devices(c, &fd, reterr);
        case INIT_MSG_NOT_LOCKED:
                log_info("container %s: its mounts are not locked together, as there can be no user namespaces here (a "
                         "sandbox, or sysctl user.max_user_namespaces)", c->options->id);
                return 0;
        case INIT_MSG_GATE:
                return bind_gate(c, fd, reterr);
        case INIT_MSG_NOTIFY:
                c->notify = TAKE_FD(fd);
                return 0;
        case INIT_MSG_CONSOLE:
                return take_console(c, &fd, reterr);
        case INIT_MSG_LISTENER:
                c->listener = TAKE_FD(fd);
                return send_listener(c, reterr);
        case INIT_MSG_READY:
        case INIT_MSG_INSIDE:
                log_info("container %s: set up, the helper is ready", c->options->id);
                return send_listener(c, reterr) ?: creation_delegate(c, reterr) ?: 1;
        default:
                return error_setf(reterr, EBADMSG, "cannot understand the helper: message %d", type);
        }
}

/* A scope is lost when its process ends, and why that ended says more. It has said so before it begins to end, and then the
 * kernel moves it to no cgroup any more. */
static int blame_helper(Creation *c, int r, Error *reterr) {
        InitMessage message;
        ProcessStat stat;
        int type;

        if (process_stat(c->launch.pid, &stat) == 0 && !stat.dead)
                return r;
        (void) pidfd_wait(c->launch.pidfd, UINT64_MAX); /* it is on its way */
        error_done(reterr);
        do
                type = launch_receive(&c->launch, &message, NULL, reterr);
        while (type > 0);
        return type < 0 ? type : error_setf(reterr, ESRCH, "the container's process ended before it was set up");
}

static int dispatch_manager(Creation *c, bool *scope_ready, Error *reterr) {
        int r = manager_dispatch(c->manager, reterr);

        if (r > 0) {
                *scope_ready = true;
                log_info("scope %s: job done in %.1f ms", c->unit.name, log_msec_since(c->scope_asked));
                r = creation_settle(c, reterr);
        }
        return r < 0 ? blame_helper(c, r, reterr) : r;
}

static int give_up(const Creation *c, Error *reterr) {
        (void) manager_give_up(c->manager, reterr);
        return error_prefixf(reterr, "cannot start scope %s", c->unit.name);
}

/* systemd and the helper work at the same time; we answer whoever speaks until the helper is ready. */
static int attend(Creation *c, Error *reterr) {
        uint64_t deadline = now_usec() + MANAGER_TIMEOUT_USEC;
        bool scope_ready = !c->manager && !c->unit.cgroup;
        bool forks = init_plan_comes_to(&c->init, INIT_FORK, INIT_WAIT_CGROUP);
        pid_t first = c->launch.pid;
        int r;

        for (;;) {
                struct pollfd fds[] = { { .fd = c->launch.control, .events = POLLIN }, { .fd = -1 },
                                        { .fd = c->launch.pidfd, .events = POLLIN } };
                uint64_t until;

                /* The scope wants the process that stays, unless that is to be born in it. */
                if (!forks || c->launch.pid != first) {
                        r = creation_request_scope(c, reterr);
                        if (r < 0)
                                return blame_helper(c, r, reterr);
                        scope_ready = scope_ready || r > 0;
                }
                if (c->scope_requested && !scope_ready)
                        fds[1] = (struct pollfd){ .fd = manager_poll_fd(c->manager),
                                                  .events = manager_poll_events(c->manager) };
                until = scope_ready ? UINT64_MAX : c->scope_requested ? manager_wait_until(c->manager, deadline) : deadline;
                r = loop_wait(fds, ELEMENTSOF(fds), until);
                if (r == 0 && now_usec() >= deadline && !c->scope_requested)
                        return error_setf(reterr, ETIMEDOUT, "the container's process was not set up in time");
                if (r == 0 && c->scope_requested && now_usec() >= manager_wait_until(c->manager, deadline))
                        return give_up(c, reterr);
                if (r < 0)
                        return error_setf(reterr, -r, "%s", errno_text(r));
                r = fds[1].revents ? dispatch_manager(c, &scope_ready, reterr) : 0;
                if (r < 0)
                        return r;
                r = fds[0].revents || fds[2].revents ? answer(c, reterr) : 0;
                if (r != 0)
                        return r < 0 ? r : 0;
        }
}

/* --- commit ----------------------------------------------------------------------------------------------------- */

int write_pid_file(const char *path, pid_t pid, Error *reterr) {
        const char *name;
        _cleanup_close_ int dir = open_named_parent(path, &name, reterr);
        char text[16];
        int n = snprintf(text, sizeof(text), "%d", pid), r;

        if (dir < 0)
                return error_prefixf(reterr, "cannot write the pid file %s", path);
        r = write_file_atomic_at(dir, name, text, (size_t) n, 0644);
        return r < 0 ? error_errnof(reterr, r, "cannot write the pid file %s", path) : 0;
}

void remove_pid_file(const char *path) {
        const char *name;
        _cleanup_close_ int dir = open_named_parent(path, &name, NULL);

        if (dir >= 0)
                (void) unlinkat(dir, name, 0);
}

static int commit(Creation *c, Error *reterr) {
        int r;

        r = creation_note_process(c, true, reterr);
        if (r == 0 && c->pidfd_socket >= 0)
                r = peer_send(c->pidfd_socket, "pidfd", c->launch.pidfd, reterr);
        if (r == 0 && c->options->pid_file)
                r = write_pid_file(c->options->pid_file, c->launch.pid, reterr);
        c->wrote_pid_file = r == 0 && c->options->pid_file;
        return r;
}

/* The process has given up all that it will not have by now: who is in that mount namespace finds it in the procfs. */
static int attach_rootfs(Creation *c, Error *reterr) {
        int r = c->rootfs < 0 ? 0 : rootfs_attach(c->rt, &c->container, c->spec, c->rootfs, reterr);

        c->rootfs = close_fd(c->rootfs);
        return r;
}

static int make_rdt_group(Creation *c, Error *reterr) {
        int r = resctrl_make(c->resctrl, &c->rdt, &c->rdt_made, reterr);

        c->rdt_done = r == 0;
        return r;
}

/* A group that others may be in by now is theirs. */
static void undo_rdt_group(const Creation *c) {
        if (c->rdt.monitor)
                (void) resctrl_remove_monitor(c->resctrl, c->rdt.group, c->rdt.monitor, NULL);
        if (c->rdt_made)
                resctrl_remove_empty(c->resctrl, c->rdt.group);
}

int creation_make(Creation *c, Error *reterr) {
        int r;

        r = container_create(&c->store, c->options->id, &c->container, reterr);
        if (r < 0)
                return r;
        c->made = true;
        log_debug("container %s: remembered in %s", c->options->id, c->rt->root);
        r = write_record(c, reterr);
        if (r == 0 && c->rdt.group)
                r = make_rdt_group(c, reterr);
        if (r == 0)
                r = spawn(c, reterr);
        if (r == 0)
                r = attend(c, reterr);
        if (r == 0)
                r = launch_finish(&c->launch, &c->init, c->spec->process, reterr);
        if (r == 0 && c->rdt.group)
                r = resctrl_assign(c->resctrl, c->rdt.group, c->rdt.monitor, c->launch.pid, reterr);
        if (r == 0)
                r = attach_rootfs(c, reterr);
        if (r == 0)
                r = commit(c, reterr);
        if (r < 0)
                creation_undo(c);
        else
                log_info("container %s: created, process %d", c->options->id, c->launch.pid);
        return r;
}

int creation_release(Creation *c, Error *reterr) {
        int r = launch_release(&c->launch, c->start_now, reterr);

        if (r < 0)
                creation_undo(c);
        else {
                log_info("container %s: %s", c->options->id, c->start_now ? "the program runs" : "waits to be started");
                netdevices_done(&c->net_devices); /* who runs a container in the foreground keeps no namespace alive */
        }
        return r < 0 ? r : 0;
}

static void run_poststop(const Creation *c) {
        HookState state = { .id = c->options->id, .bundle = c->bundle, .status = "stopped" };

        if (c->hooked || c->container.record.committed)
                (void) hooks_run(&c->rt->caller, c->spec, HOOK_POSTSTOP, &state, NULL);
}

void creation_undo(Creation *c) {
        int interrupt = loop_interrupt(-EBADF);

        log_info("container %s: taken back", c->options->id);
        netdevices_return(&c->net_devices);
        launch_kill(&c->launch);
        if (c->rdt_done)
                undo_rdt_group(c);
        if (c->scope_requested && c->manager)
                manager_abandon_scope(c->manager, c->container.record.invocation_id, now_usec() + ABANDON_USEC);
        if (c->scope_requested)
                (void) ending_remove_cgroup(&c->container, NULL);
        if (c->wrote_pid_file)
                remove_pid_file(c->options->pid_file);
        rootfs_unmount(c->rt, &c->container);
        if (c->made)
                (void) container_remove(&c->container, NULL);
        c->made = false;
        (void) loop_interrupt(interrupt);
        run_poststop(c);
}
