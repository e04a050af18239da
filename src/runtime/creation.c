/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/creation.h"

#include "basic/fd.h"
#include "basic/loop.h"
#include "host/end.h"
#include "plan/init/build.h"

void creation_done(Creation *c) {
        operation_done(&c->operation);
        step_context_done(&c->steps);
        c->streams = streams_free(c->streams);
        c->console_socket = close_fd(c->console_socket);
        c->pidfd_socket = close_fd(c->pidfd_socket);
        c->manager = manager_close(c->manager);
        container_done(&c->container);
        launch_plan_done(&c->plan);
        init_plan_done(&c->init);
        unit_plan_done(&c->unit);
        filter_done(&c->filter);
        c->spec = spec_free(c->spec);
        free(c->config);
        free(c->bundle);
        store_done(&c->store);
}

/* What the steps have to know besides their plan. */
static void fill_context(Creation *c) {
        const Caller *caller = &c->rt->caller;
        StepContext *s = &c->steps;

        s->rt = c->rt;
        s->container = &c->container;
        s->manager = TAKE_PTR(c->manager);
        s->interrupt = loop_interrupt(-EBADF);
        (void) loop_interrupt(s->interrupt);
        s->operation = &c->operation;
        s->spec = c->spec;
        s->process = c->spec->process;
        s->unit = &c->unit;
        s->init = &c->init;
        s->rdt = &c->rdt;
        s->store = &c->store;
        s->id = c->options->id;
        s->bundle = c->bundle;
        s->keyring = c->keyring;
        s->created = c->created;
        s->config = c->config;
        s->config_size = c->config_size;
        s->starts = c->start_now;
        s->kept = c->options->supervise || c->options->keep;
        s->status = "creating";
        if (c->options->supervise) {
                s->again.waits = !c->start_now;
                s->again.no_pivot = c->options->no_pivot;
                s->again.restart = c->options->restart;
                s->again.stop_timeout = c->options->stop_timeout;
                s->again.properties = c->options->properties;
        }
        s->console_socket = c->console_socket;
        s->pidfd_socket = c->pidfd_socket;
        s->request = (LaunchRequest){
                .id = c->options->id,
                .plan = &c->init,
                .clone_flags = init_plan_clone_flags(c->spec),
                .preserve_fds = c->preserve_fds,
                .target = -EBADF,
                .root = -EBADF,
                .cgroup = -EBADF,
                .stdio = { streams_inside(c->streams, caller, 0), streams_inside(c->streams, caller, 1),
                           streams_inside(c->streams, caller, 2) },
        };
}

/* For who has asked systemd for the service, or is called when that has ended. Undone, the container's process has ended, and
 * systemd ends us, too. */
static void keep_failure(void *context, const Error *error) {
        const StepContext *c = context;

        if (error)
                end_keep_failure(c->container, error->message);
}

int creation_make(Creation *c, Error *reterr) {
        const LaunchCreation what = {
                .spec = c->spec,
                .id = c->options->id,
                .unit = &c->unit,
                .init = &c->init,
                .rdt = &c->rdt,
                .start_now = c->start_now,
                .sends_terminal = c->console_socket >= 0,
                .sends_pidfd = c->pidfd_socket >= 0,
                .pid_file = c->options->pid_file,
        };
        /* Else it is we whom systemd has called. */
        const bool asks = c->unit.home == HOME_SERVICE && c->container.dir < 0;

        fill_context(c);
        (asks ? launch_plan_supervise : launch_plan_create)(&what, &c->plan);
        c->operation = (Operation){ .kinds = step_kinds, .context = &c->steps };
        if (home_is_supervised(c->unit.home) && !asks)
                c->operation.failed = keep_failure;
        return operation_run(&c->operation, &c->plan, reterr);
}
