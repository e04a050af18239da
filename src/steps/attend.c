/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "basic/loop.h"
#include "host/process.h"
#include "plan/init/build.h"
#include "steps/home.h"

/* One message of the helper; 1 when it is ready. */
static int answer(StepContext *c, Error *reterr) {
        InitMessage message;
        int type = launch_receive(&c->launch, &message, &c->received, reterr), r;

        if (type <= 0)
                return type < 0 ? type : error_setf(reterr, EIO, "the process ended while it was set up");
        r = operation_answer(c->operation, (unsigned) type, reterr);
        c->received = close_fd(c->received);
        return r < 0 ? r : type == INIT_MSG_READY || type == INIT_MSG_INSIDE;
}

/* A scope is lost when its process ends, and why that ended says more. It has said so before it begins to end, and then the
 * kernel moves it to no cgroup any more. */
static int blame_helper(StepContext *c, int r, Error *reterr) {
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

/* Asks for the home, or hears what has become of that; 1 when it is there. */
static int get_home(StepContext *c, Error *reterr) {
        int r = c->scope.asked ? scope_dispatch(&c->scope, reterr) : home_request(c, reterr);

        if (r == 1 && c->unit->home == HOME_SCOPE) {
                log_info("scope %s: job done in %.1f ms", c->container->record.unit, log_msec_since(c->scope.asked));
                r = scope_settle(c, reterr) ?: 1;
        }
        return r < 0 ? blame_helper(c, r, reterr) : r;
}

static uint64_t wait_until(StepContext *c, uint64_t deadline) {
        return c->scope.asked ? scope_wait_until(&c->scope) : deadline;
}

static int give_up(const StepContext *c, Error *reterr) {
        if (!c->scope.asked)
                return error_setf(reterr, ETIMEDOUT, "the container's process was not set up in time");
        (void) scope_give_up(&c->scope, reterr);
        return error_prefixf(reterr, "cannot start scope %s", c->container->record.unit);
}

/* systemd and the helper work at the same time; we answer whoever speaks until the helper is ready. A home wants the process
 * that stays, unless that is to be born in it. */
static int run(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        StepContext *c = context;
        uint64_t deadline = now_usec() + MANAGER_TIMEOUT_USEC;
        bool forks = init_plan_comes_to(c->init, INIT_FORK, INIT_WAIT_CGROUP), settled = !c->unit;
        pid_t first = c->launch.pid;
        int r;

        for (;;) {
                struct pollfd fds[] = { { .fd = c->launch.control, .events = POLLIN }, { .fd = -1 },
                                        { .fd = c->launch.pidfd, .events = POLLIN } };

                r = settled || (forks && c->launch.pid == first) ? 0 : get_home(c, reterr);
                if (r < 0)
                        return r;
                settled = settled || r > 0;
                if (c->scope.asked && !settled)
                        fds[1] = (struct pollfd){ .fd = manager_poll_fd(c->manager),
                                                  .events = manager_poll_events(c->manager) };
                r = loop_wait(fds, ELEMENTSOF(fds), settled ? UINT64_MAX : wait_until(c, deadline));
                if (r < 0)
                        return error_passf(reterr, r, "%s", errno_text(r));
                if (r == 0 && now_usec() >= wait_until(c, deadline))
                        return give_up(c, reterr);
                r = fds[0].revents || fds[2].revents ? answer(c, reterr) : 0;
                if (r != 0)
                        return MIN(r, 0);
        }
}

const StepKind step_attend = { .run = run };
