/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What systemd calls for a container that it watches over: ExecStart= and ExecStopPost= of its service. */
#include <errno.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/journal.h"
#include "basic/moment.h"
#include "host/cgroup.h"
#include "host/end.h"
#include "runtime/creation.h"
#include "runtime/find.h"
#include "steps/hooks.h"

/* Where systemd runs what is not the service itself, if that is delegated. */
#define CONTROL "/.control"

/* Elsewhere it would be a process that no service has, in no cgroup of the container's. */
static int check_where_we_are(const Container *c, Error *reterr) {
        _cleanup_free_ char *path = NULL;
        int r = cgroup_of_pid(getpid(), &path);

        if (r == 0 && endswith(path, CONTROL))
                path[strlen(path) - strlen(CONTROL)] = '\0';
        if (r == 0 && c->record.home == HOME_SERVICE && cgroup_belongs_to_unit(path, c->record.slice, c->record.unit))
                return 0;
        return error_setf(reterr, EBUSY, "container %s: this is for systemd to call, in the container's own service",
                          c->id);
}

/* systemd gives a service one stream for both. Ours tell them apart, and what the container writes from what we do. Whoever has
 * the unit write elsewhere (StandardOutput=) has that. */
static int open_stream(const Record *record, int given, int priority) {
        _cleanup_(arena_done) Arena a = {};

        if (!journal_is_stream(given))
                return -EBADF;
        return journal_open_stream(record_log_name(record, &a), record->user_manager ? "" : record->unit, priority);
}

static int start(const Runtime *rt, CreateOptions *o, Container *container, Error *reterr) {
        const Record *record = &container->record;
        _cleanup_close_ int out = open_stream(record, rt->caller.stdio[1], JOURNAL_OUTPUT),
                            err = open_stream(record, rt->caller.stdio[2], JOURNAL_ERROR);
        Runtime own = *rt;
        _cleanup_creation_ Creation c = CREATION_NEW(&own, o, !record->waits);
        int r;

        own.caller.stdio[1] = out >= 0 ? out : rt->caller.stdio[1];
        own.caller.stdio[2] = err >= 0 ? err : rt->caller.stdio[2];
        o->supervise = true;
        o->no_pivot = record->no_pivot;
        o->no_new_keyring = !record->keyring;
        o->restart = record->restart;
        o->stop_timeout = record->stop_timeout;
        c.container = *container;
        *container = (Container){ .dir = -EBADF };
        r = creation_plan_again(&c, reterr);
        if (r < 0 && reterr)
                end_keep_failure(&c.container, reterr->message);
        return r < 0 ? r : creation_make(&c, reterr);
}

int runtime_service_start(const Runtime *rt, const char *id, const char *program, Error *reterr) {
        _cleanup_container_ Container c = { .dir = -EBADF };
        CreateOptions o = { .id = id, .program = program };
        int r = runtime_find(rt, id, LOCK_WAIT, &c, reterr);

        if (r == 0)
                r = check_where_we_are(&c, reterr);
        return r < 0 ? r : start(rt, &o, &c, reterr);
}

/* Hooks that were run, and a container that was created, are followed by those of its end (runtime.md, "Lifecycle"). */
static void run_poststop(const Runtime *rt, const Container *c) {
        const Spec spec = record_spec(&c->record);
        const HookState state = { .caller = &rt->caller, .spec = &spec, .id = c->id, .bundle = c->record.bundle,
                                  .status = "stopped" };

        if (c->record.pid > 0)
                (void) hooks_run(&state, HOOK_POSTSTOP, &spec.hooks[HOOK_POSTSTOP], NULL);
}

int runtime_service_ended(const Runtime *rt, const char *id, const Exit *seen, Error *reterr) {
        _cleanup_container_ Container c = { .dir = -EBADF };
        _cleanup_error_ Error error = {};
        _cleanup_(arena_done) Arena a = {};
        Exit e = *seen;
        int r = runtime_find(rt, id, LOCK_NONE, &c, &error);

        if (error.kind == ERROR_NO_CONTAINER)
                return 0;
        if (r == 0)
                r = check_where_we_are(&c, &error);
        if (r < 0)
                return error_move(reterr, &error);
        /* Nothing of this start has come about: what is known is about the one before. */
        if (c.record.invocation_id && !streq_null(seen->invocation, c.record.invocation_id))
                return 0;
        e.time = moment_now(&a);
        r = end_keep(&c, &e, reterr); /* first: hooks may take longer than systemd gives us */
        run_poststop(rt, &c);
        return r;
}
