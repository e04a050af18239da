/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What systemd calls for a container that it watches over: ExecStart= and ExecStop= of its service, and the unit that follows
 * its end. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/journal.h"
#include "basic/loop.h"
#include "basic/moment.h"
#include "host/cgroup.h"
#include "host/end.h"
#include "host/observe.h"
#include "host/process.h"
#include "host/service.h"
#include "runtime/creation.h"
#include "runtime/find.h"
#include "runtime/removal.h"
#include "runtime/service.h"
#include "steps/hooks.h"

/* What we were called for. */
typedef struct Called {
        char *service;       /* the cgroup of the service that calls */
        Container container; /* that there is; dir -EBADF: none */
} Called;

#define CALLED_NONE ((Called){ .container = { .dir = -EBADF } })
#define _cleanup_called_ _cleanup_(called_done)
static void called_done(Called *c) {
        free(c->service);
        container_done(&c->container);
}

/* Of a service's processes some are in cgroups below its own (".control", DelegateSubgroup=). Elsewhere what we make would be
 * a process that no service has. */
static int find_service(const Runtime *rt, const char *id, char **ret, Error *reterr) {
        int r = rt->caller.is_service ? cgroup_service_of(getpid(), ret) : -ESRCH;

        return r < 0 ? error_setf(reterr, EBUSY,
                                  "container %s: this is for systemd to call, in the container's own service", id)
                     : 0;
}

static bool is_of_service(const Called *c) {
        return c->container.dir >= 0 && home_is_supervised(c->container.record.home) &&
               streq_null(c->container.record.unit, cgroup_unit_name(c->service));
}

static int find(const Runtime *rt, const char *id, LockMode lock, Called *ret, Error *reterr) {
        _cleanup_error_ Error error = {};
        int r = find_service(rt, id, &ret->service, reterr);

        if (r < 0)
                return r;
        r = runtime_find(rt, id, lock, &ret->container, &error);
        return r < 0 && error.kind != ERROR_NO_CONTAINER ? error_move(reterr, &error) : 0;
}

/* --- ExecStart= ------------------------------------------------------------------------------------------------- */

/* systemd gives a service one stream for both. Ours tell them apart, and what the container writes from what we do. Whoever has
 * the unit write elsewhere (StandardOutput=) has that. */
static int open_stream(const Record *record, int given, int priority) {
        _cleanup_(arena_done) Arena a = {};

        if (!journal_is_stream(given))
                return -EBADF;
        return journal_open_stream(record_log_name(record, &a), record->user_manager ? "" : record->unit, priority);
}

void service_output_done(ServiceOutput *o) {
        close_fd(o->out);
        close_fd(o->err);
}

ServiceOutput service_open_output(const Runtime *rt, const Record *record) {
        ServiceOutput o = { .rt = *rt,
                            .out = open_stream(record, rt->caller.stdio[1], JOURNAL_OUTPUT),
                            .err = open_stream(record, rt->caller.stdio[2], JOURNAL_ERROR) };

        if (o.out >= 0)
                o.rt.caller.stdio[1] = o.out;
        if (o.err >= 0)
                o.rt.caller.stdio[2] = o.err;
        return o;
}

static int start_again(const Runtime *rt, CreateOptions *o, Container *container, Error *reterr) {
        _cleanup_(arena_done) Arena a = {};
        const Record *record = &container->record;
        _cleanup_service_output_ ServiceOutput output = service_open_output(rt, record);
        _cleanup_creation_ Creation c = CREATION_NEW(&output.rt, o, !record->waits);
        int r;

        o->no_pivot = record->no_pivot;
        o->no_new_keyring = !record->keyring;
        o->restart = record->restart;
        o->stop_timeout = record->stop_timeout;
        o->properties = record->properties;
        c.called_by = arena_strdup(&a, record->unit);
        c.container = *container;
        *container = (Container){ .dir = -EBADF };
        r = creation_plan_again(&c, reterr);
        if (r < 0 && reterr)
                end_keep_failure(&c.container, reterr->message);
        return r < 0 ? r : creation_make(&c, reterr);
}

/* It may be anybody's unit. */
static int check_unit(const Runtime *rt, const char *service, Error *reterr) {
        _cleanup_free_ char *below = xasprintf("%s/container", service);
        const char *name = cgroup_unit_name(service);

        if (!rt->caller.notify_socket)
                return error_setf(reterr, EINVAL, "%s needs Type=notify, to be told which process it has", name);
        if (!rt->facts.rootless && !cgroup_is_ours_to_make(below)) /* a user's systemd marks nothing */
                return error_setf(reterr, EINVAL, "%s needs Delegate=yes, for the container's cgroup", name);
        return 0;
}

/* What is left of the start before. One that is somebody else's has the id. */
static int make_room(const Runtime *rt, Called *called, Error *reterr) {
        Container *c = &called->container;
        int r = is_of_service(called) ? removal_forget(rt, c, reterr) : 0;

        container_done(c);
        *c = (Container){ .dir = -EBADF };
        return r;
}

/* A unit is read anew each time that it is started, and so is its bundle. But it is the same container as before. */
static int start_new(const Runtime *rt, CreateOptions *o, Called *called, Error *reterr) {
        _cleanup_(arena_done) Arena a = {};
        const char *before = is_of_service(called) ? called->container.record.created : NULL;
        const Record record = { .id = o->id,
                                .unit = cgroup_unit_name(called->service),
                                .user_manager = rt->facts.rootless,
                                .created = before ? arena_strdup(&a, before) : moment_now(&a) };
        _cleanup_service_output_ ServiceOutput output = service_open_output(rt, &record);
        _cleanup_creation_ Creation c = CREATION_NEW(&output.rt, o, true);
        int r = check_unit(rt, called->service, reterr);

        if (r == 0)
                r = make_room(rt, called, reterr);
        if (r < 0)
                return r;
        o->service = called->service;
        c.called_by = record.unit;
        c.created = record.created;
        r = creation_plan(&c, reterr);
        if (r == 0 && !c.spec->process)
                return error_setf(reterr, EINVAL, "process: not set in config.json, so there is nothing to run");
        return r < 0 ? r : creation_make(&c, reterr);
}

int runtime_service_start(const Runtime *rt, const char *id, const char *bundle, const char *program, Error *reterr) {
        CreateOptions o = { .id = id, .bundle = bundle, .program = program, .supervise = true };
        _cleanup_called_ Called c = CALLED_NONE;
        int r = find(rt, id, LOCK_WAIT, &c, reterr);

        if (r < 0)
                return r;
        if (bundle)
                return start_new(rt, &o, &c, reterr);
        if (!is_of_service(&c))
                return error_setf(reterr, EBUSY, "container %s is not of the service %s, which calls", id,
                                  cgroup_unit_name(c.service));
        return start_again(rt, &o, &c.container, reterr);
}

void runtime_service_said(const Runtime *rt, const char *id) {
        _cleanup_called_ Called c = CALLED_NONE;

        if (find(rt, id, LOCK_NONE, &c, NULL) == 0 && is_of_service(&c))
                end_keep_failure(&c.container, "");
}

/* --- ExecStop= -------------------------------------------------------------------------------------------------- */

int runtime_service_stop(const Runtime *rt, const char *id, Error *reterr) {
        _cleanup_called_ Called c = CALLED_NONE;
        int r = find(rt, id, LOCK_NONE, &c, reterr), signal;
        _cleanup_close_ int init = -EBADF;

        if (r < 0 || !is_of_service(&c))
                return r;
        signal = record_stop_signal(&c.container.record);
        init = container_open_init(&c.container);
        /* SIGTERM comes from systemd as soon as we are gone, and SIGKILL if we wait for too long. */
        if (init >= 0 && signal != SIGTERM && process_signal(init, signal) == 0)
                (void) pidfd_wait(init, UINT64_MAX);
        return 0;
}

/* --- when it has ended ------------------------------------------------------------------------------------------ */

static bool is_of_end(const Called *c) {
        const Record *r = &c->container.record;
        _cleanup_(arena_done) Arena a = {};

        return c->container.dir >= 0 && home_is_supervised(r->home) &&
               streq(record_end_unit(r, &a), cgroup_unit_name(c->service));
}

/* Of another start: nothing of the one that has ended came about, and what is known is about the one before. */
static bool is_news(const Container *c, const Exit *e) {
        _cleanup_(arena_done) Arena a = {};
        _cleanup_close_ int fd = end_open(c);
        Exit noted;

        if (c->record.invocation_id && !streq_null(e->invocation, c->record.invocation_id))
                return false;
        return end_read(fd, &a, &noted) < 0 || !streq_null(noted.invocation, e->invocation);
}

static int read_end(const Container *c, Manager *m, Arena *a, Exit *ret, Error *reterr) {
        int r = service_read_end(m, c->record.unit, a, ret, reterr);

        return r < 0 ? r : is_news(c, ret);
}

int service_find_end(const Container *c, Arena *a, Exit *ret, Error *reterr) {
        _cleanup_manager_ Manager *m = NULL;
        int r = manager_open(c->caller, c->record.user_manager, &m, reterr);

        return r < 0 ? r : read_end(c, m, a, ret, reterr);
}

/* Hooks that were run, and a container that was created, are followed by those of its end (runtime.md, "Lifecycle"). */
static void run_poststop(const Runtime *rt, const Container *c) {
        const Spec spec = record_spec(&c->record);
        const HookState state = { .caller = &rt->caller, .spec = &spec, .id = c->id, .bundle = c->record.bundle,
                                  .status = "stopped" };

        if (c->record.pid > 0)
                (void) hooks_run(&state, HOOK_POSTSTOP, &spec.hooks[HOOK_POSTSTOP], NULL);
}

/* Who was to say it in the service was ended along with the process that he told of. An ordinary user has it in the unit that
 * follows. */
static int say_failure(const Container *c, const char *failure, Error *reterr) {
        const Record *record = &c->record;
        _cleanup_close_ int stream =
                record->user_manager ? -EBADF : journal_open_stream("ocirt-sd", record->unit, JOURNAL_ERROR);

        if (isempty(failure) || (stream >= 0 && dprintf(stream, "%s\n", failure) > 0))
                return 0;
        return error_setf(reterr, EIO, "%s", failure);
}

/* A container that is its service's own is forgotten with that: one that has failed, or begins again, is there to be looked
 * at. */
static int forget(const Runtime *rt, Container *c, Manager *m, const Exit *e, Error *reterr) {
        _cleanup_(arena_done) Arena a = {};
        const char *failure = end_read_failure(c, &a);
        bool kept =
                c->record.committed && (!streq(e->result, "success") || service_begins_again(m, c->record.unit) > 0);
        int r = failure || !kept ? removal_forget(rt, c, reterr) : 0;

        return r < 0 ? r : say_failure(c, failure, reterr);
}

int runtime_service_ended(const Runtime *rt, const char *id, Error *reterr) {
        _cleanup_called_ Called called = CALLED_NONE;
        Container *c = &called.container;
        _cleanup_manager_ Manager *m = NULL;
        _cleanup_(arena_done) Arena a = {};
        Exit e = { .result = "" };
        int r = find(rt, id, LOCK_NONE, &called, reterr);

        if (r < 0 || !is_of_end(&called))
                return r;
        r = manager_open(&rt->caller, c->record.user_manager, &m, reterr);
        if (r == 0)
                r = read_end(c, m, &a, &e, reterr);
        if (r <= 0)
                return r;
        r = end_keep(c, &e, reterr); /* first: who waits for it does not wait for hooks */
        run_poststop(rt, c);
        return r < 0 || c->record.home != HOME_IN_SERVICE ? r : forget(rt, c, m, &e, reterr);
}
