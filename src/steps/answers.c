/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What answers the helper in a line or two; what takes more is in a file of its own. */
#include <errno.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "host/gate.h"
#include "host/userns.h"
#include "steps/home.h"
#include "steps/hooks.h"
#include "steps/listener.h"
#include "steps/peer.h"

static int follow(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        return 0; /* launch_receive() has */
}

const StepKind step_follow = { .run = follow };

static int map_users(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        StepContext *c = context;
        int r = userns_write_maps(&c->launch, &c->spec->linux_, reterr);

        return r < 0 ? r : launch_send(&c->launch, INIT_MSG_MAPPED, reterr);
}

const StepKind step_map_users = { .run = map_users };

static int runtime_hooks(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        StepContext *c = context;
        const HookState state = { .caller = &c->rt->caller, .spec = c->spec, .id = c->id, .bundle = c->bundle,
                                  .status = "creating", .pid = c->launch.pid };
        int r;

        r = home_note_process(c, false, reterr); /* for a hook that asks for our state */
        if (r == 0)
                r = hooks_run(&state, HOOK_PRESTART, &step->runtime_hooks.prestart, reterr);
        if (r == 0)
                r = hooks_run(&state, HOOK_CREATE_RUNTIME, &step->runtime_hooks.create_runtime, reterr);
        return r < 0 ? r : launch_send(&c->launch, INIT_MSG_HOOKS_DONE, reterr);
}

const StepKind step_runtime_hooks = { .run = runtime_hooks };

static int need_received(const StepContext *c, const char *what, Error *reterr) {
        return c->received < 0 ? error_setf(reterr, EBADMSG, "the helper sent no %s", what) : 0;
}

static int move_net_devices(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        StepContext *c = context;
        int r = need_received(c, "socket", reterr);

        if (r == 0)
                r = netdevices_move(&c->net_devices, &c->spec->linux_, TAKE_FD(c->received), reterr);
        return r < 0 ? r : launch_send(&c->launch, INIT_MSG_NETWORK_DONE, reterr);
}

static void return_net_devices(void *context, const LaunchStep *step, void *kept) {
        StepContext *c = context;

        netdevices_return(&c->net_devices);
}

const StepKind step_move_net_devices = { move_net_devices, return_net_devices };

static int say_unlocked(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        const StepContext *c = context;

        log_info("container %s: its mounts are not locked together, as there can be no user namespaces here (a sandbox, or "
                 "sysctl user.max_user_namespaces)", c->id);
        return 0;
}

const StepKind step_say_unlocked = { .run = say_unlocked };

static int bind_gate(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        StepContext *c = context;
        int r = need_received(c, "socket", reterr);

        if (r == 0)
                r = container_bind_gate(c->container, c->received, reterr);
        return r < 0 ? r : launch_send(&c->launch, INIT_MSG_BOUND, reterr);
}

const StepKind step_bind_gate = { .run = bind_gate };

/* What it has to say waits there. */
static int keep_notify(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        StepContext *c = context;

        notify_begin(&c->rt->caller, TAKE_FD(c->received), &c->notify);
        return 0;
}

const StepKind step_keep_notify = { .run = keep_notify };

static int send_terminal(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        const StepContext *c = context;
        int r = need_received(c, "terminal", reterr);

        return r < 0 ? r : peer_send(c->console_socket, "/dev/ptmx", c->received, reterr);
}

const StepKind step_send_terminal = { .run = send_terminal };

static int keep_terminal(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        StepContext *c = context;
        int r = need_received(c, "terminal", reterr);

        if (r < 0)
                return r;
        terminal_prepare(&c->rt->caller, c->received);
        c->console = TAKE_FD(c->received);
        return 0;
}

const StepKind step_keep_terminal = { .run = keep_terminal };

static int keep_listener(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        StepContext *c = context;

        c->listener = TAKE_FD(c->received);
        return 0;
}

const StepKind step_keep_listener = { .run = keep_listener };

/* The agent hears of the process that will be. */
static int send_listener(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        StepContext *c = context;
        _cleanup_close_ int fd = launch_changes(&c->launch) ? -EBADF : TAKE_FD(c->listener);
        const pid_t init = c->container->record.committed ? c->container->record.pid : c->launch.pid;
        const ListenerState state = { .id = c->id, .bundle = c->bundle, .status = c->status, .pid = c->launch.pid,
                                      .init = init };

        return fd < 0 ? 0 : listener_send(c->spec, &state, fd, reterr);
}

const StepKind step_send_listener = { .run = send_listener };
