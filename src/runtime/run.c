/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "basic/moment.h"
#include "host/end.h"
#include "runtime/creation.h"
#include "runtime/foreground.h"
#include "runtime/removal.h"

/* How long we keep our connection to systemd: a program that ends soon is cleaned up without a second one, and one
 * that runs for days does not use up the bus's number of connections. */
#define KEEP_MANAGER_USEC 1000000ULL

static int serve(Creation *c, Foreground *f, int *ret_status, Error *reterr) {
        int r = foreground_serve(f, &c->rt->caller, &c->steps.launch, c->streams, TAKE_FD(c->steps.console),
                                 reterr);

        container_unlock(&c->container); /* from here on other verbs may change the container */
        if (r == 0)
                r = foreground_wait(f, now_usec() + KEEP_MANAGER_USEC, ret_status, reterr);
        if (r != -ETIMEDOUT)
                return r;
        c->steps.manager = manager_close(c->steps.manager);
        return foreground_wait(f, UINT64_MAX, ret_status, reterr);
}

/* The same container, or was it deleted, and perhaps made anew, while we waited? */
static int remove_after(Creation *c, Error *reterr) {
        _cleanup_container_ Container now = { .dir = -EBADF };
        _cleanup_error_ Error gone = {};
        int r;

        r = container_open(&c->store, c->options->id, LOCK_WAIT, &now, &gone);
        if (gone.kind == ERROR_NO_CONTAINER || (r == 0 && now.record.pid != c->steps.launch.pid))
                return 0;
        if (r < 0)
                return error_move(reterr, &gone);
        return removal_run(c->rt, &now, &c->steps.manager, reterr);
}

/* How its process ended, for as long as there is the container. */
static void keep_end(const Creation *c, int status) {
        _cleanup_(arena_done) Arena a = {};
        _cleanup_error_ Error error = {};
        Exit e = exit_from_wait(status, &a);
        int r;

        e.time = moment_now(&a);
        e.invocation = c->container.record.invocation_id;
        r = end_keep(&c->container, &e, &error);
        if (r < 0 && r != -ENOENT) /* somebody else has deleted it */
                log_message(LOG_WARNING, "%s", error.message);
}

static int run_foreground(Creation *c, int *ret_status, Error *reterr) {
        _cleanup_foreground_ Foreground f = FOREGROUND_NONE;
        int status = 0, r;

        f.notify = &c->steps.notify;
        r = foreground_begin(&f, reterr);
        if (r < 0)
                return r;
        r = streams_new(&c->rt->caller, c->init.piped, &c->streams, reterr);
        if (r == 0)
                r = creation_make(c, reterr);
        if (r == 0)
                r = serve(c, &f, &status, reterr);
        if (r < 0)
                return r;
        *ret_status = exit_status_of_wait(status);
        if (!c->options->keep)
                r = remove_after(c, reterr);
        if (c->options->keep || r < 0)
                keep_end(c, status);
        return r;
}

static int run_detached(Creation *c, Error *reterr) {
        int r = creation_make(c, reterr);

        if (r < 0)
                return r;
        container_unlock(&c->container);
        notify_wait(&c->steps.notify, c->steps.launch.pid, c->steps.launch.pidfd);
        return 0;
}

int runtime_run(const Runtime *rt, const CreateOptions *options, int *ret_status, Error *reterr) {
        _cleanup_creation_ Creation c = CREATION_NEW(rt, options, true);
        int r;

        *ret_status = 0;
        r = creation_plan(&c, reterr);
        if (r < 0)
                return r;
        if (!c.spec->process)
                return error_setf(reterr, EINVAL, "process: not set in config.json, so there is nothing to run");
        return options->detach || options->supervise ? run_detached(&c, reterr)
                                                     : run_foreground(&c, ret_status, reterr);
}
