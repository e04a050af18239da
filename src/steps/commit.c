/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a process that is ready to one that runs. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "basic/log.h"
#include "basic/moment.h"
#include "host/launch-finish.h"
#include "steps/home.h"
#include "steps/hooks.h"
#include "steps/peer.h"
#include "steps/pid-file.h"

static int finish(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        const StepContext *c = context;

        return launch_finish(&c->launch, c->init, c->process, reterr);
}

const StepKind step_finish = { .run = finish };

static int commit(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        StepContext *c = context;
        int r;

        if (c->starts)
                c->container->record.started = moment_now(&c->container->record.arena);
        r = home_note_process(c, true, reterr);
        if (r == 0)
                log_info("container %s: created, process %d", c->id, c->launch.pid);
        return r;
}

const StepKind step_commit = { .run = commit };

static int send_pidfd(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        const StepContext *c = context;

        return MIN(peer_send(c->pidfd_socket, "pidfd", c->launch.pidfd, reterr), 0);
}

const StepKind step_send_pidfd = { .run = send_pidfd };

static int release(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        StepContext *c = context;
        int r = launch_release(&c->launch, step->release.waits, reterr);

        if (r < 0)
                return r;
        log_info("container %s: %s, process %d", c->id, step->release.waits ? "the program runs" : "waits to be started",
                 c->launch.pid);
        netdevices_done(&c->net_devices); /* who runs a container in the foreground keeps no namespace alive */
        return 0;
}

const StepKind step_release = { .run = release };

static int poststart(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        const StepContext *c = context;
        const HookState state = { .caller = &c->rt->caller, .spec = c->spec, .id = c->id, .bundle = c->bundle,
                                  .status = "running", .pid = c->launch.pid };

        return hooks_run(&state, HOOK_POSTSTART, &step->poststart.hooks, reterr);
}

const StepKind step_poststart = { .run = poststart };
