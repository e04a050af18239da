/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <time.h>

#include "basic/fd.h"
#include "basic/journal.h"
#include "basic/loop.h"
#include "host/observe.h"
#include "host/service.h"
#include "runtime/find.h"

/* What is in the journal can be read at once, but who waits is told of it 0.3 to 0.5 s later. */
#define LOOK_USEC UINT64_C(50000)
/* Is one that has ended started again? Only systemd knows, and says nothing of itself. */
#define ASK_USEC UINT64_C(1000000)
#define SYNCHRONIZE_USEC UINT64_C(10000000)
/* Who may not ask the journal whether it has read everything believes it when nothing has come for as long. */
#define QUIET_USEC UINT64_C(300000)

typedef struct Logs {
        const Runtime *rt;
        const char *id;
        const LogsOptions *options;
        const LogSink *sink;
        const Container *first; /* as it was found; there may be another of its id later */
        JournalReader *reader;
        int init;               /* a pidfd of the process that was there last, or -EBADF */
        uint64_t ask;           /* not before */
        bool past;              /* what comes is later than it was to be, or would be */
} Logs;

/* What there is. 1: there was something. */
static int pass_on(Logs *l, Error *reterr) {
        JournalEntry entry;
        int r, n = 0;

        while (!l->past && (r = journal_reader_next(l->reader, &entry, reterr)) != 0) {
                if (r < 0)
                        return r;
                l->past = entry.time > l->options->until;
                r = l->past ? 0 : l->sink->entry(l->sink->data, &entry, reterr);
                if (r < 0)
                        return r;
                n = 1;
        }
        r = l->sink->pause(l->sink->data, reterr);
        return r < 0 ? r : n;
}

/* Nobody writes any more. */
static int pass_on_the_rest(Logs *l, Error *reterr) {
        bool is_all = journal_synchronize(now_usec() + SYNCHRONIZE_USEC) == 0;
        int r = pass_on(l, reterr);

        if (is_all || r < 0)
                return MIN(r, 0);
        do {
                r = loop_sleep(QUIET_USEC);
                r = r < 0 ? error_passf(reterr, r, "%s", errno_text(r)) : pass_on(l, reterr);
        } while (r > 0);
        return r;
}

/* Its process has: what else is in the service is being killed, or it is about to be started again. */
static int service_is_over(Logs *l, const Container *c, Error *reterr) {
        _cleanup_free_ char *invocation = container_unit_invocation(c);
        _cleanup_manager_ Manager *m = NULL;
        int r;

        if (invocation && streq_null(invocation, c->record.invocation_id))
                return 0;
        if (!invocation && c->record.home == HOME_SERVICE && !record_may_begin_again(&c->record))
                return 1;
        if (now_usec() < l->ask)
                return 0;
        l->ask = now_usec() + ASK_USEC;
        r = manager_open(&l->rt->caller, c->record.user_manager, &m, reterr);
        return r < 0 ? r : service_has_ended(m, c->record.unit, l->rt->root, c->id, reterr);
}

static int is_over(Logs *l, Error *reterr) {
        _cleanup_container_ Container c = { .dir = -EBADF };
        _cleanup_error_ Error error = {};
        int r;

        if (l->init >= 0 && !pidfd_has_exited(l->init))
                return 0;
        l->init = close_fd(l->init);
        r = runtime_find(l->rt, l->id, LOCK_NONE, &c, &error);
        /* That of a service of somebody else's is not there for a moment when it is started again. */
        if (error.kind == ERROR_NO_CONTAINER && l->first->record.home == HOME_IN_SERVICE)
                return service_is_over(l, l->first, reterr);
        if (error.kind == ERROR_NO_CONTAINER || (r == 0 && !streq_null(c.record.created, l->first->record.created)))
                return 1;
        if (r < 0)
                return error_move(reterr, &error);
        l->init = container_open_init(&c);
        return container_status(&c) == STATUS_STOPPED ? service_is_over(l, &c, reterr) : 0;
}

static int wait_for_more(Logs *l, Error *reterr) {
        struct pollfd fds[] = { { .fd = journal_reader_fd(l->reader), .events = POLLIN },
                                { .fd = l->init, .events = POLLIN } };
        int r = loop_wait(fds, ELEMENTSOF(fds), now_usec() + LOOK_USEC);
        struct timespec now = {};

        (void) clock_gettime(CLOCK_REALTIME, &now);
        l->past = (uint64_t) now.tv_sec * 1000000 > l->options->until;
        return r < 0 ? error_passf(reterr, r, "%s", errno_text(r)) : 0;
}

static int follow(Logs *l, Error *reterr) {
        int r;

        while ((r = pass_on(l, reterr)) >= 0 && !l->past && (r = is_over(l, reterr)) == 0)
                if ((r = wait_for_more(l, reterr)) < 0)
                        break;
        return r > 0 && !l->past ? pass_on_the_rest(l, reterr) : MIN(r, 0);
}

static int begin(Logs *l, const Container *c, Error *reterr) {
        _cleanup_(arena_done) Arena a = {};
        const Record *record = &c->record;
        const JournalQuery query = {
                .identifier = record_log_name(record, &a),
                .unit = record->user_manager ? NULL : record->unit,
                .uid = record->owner,
                .priority = l->options->priority,
        };
        int r;

        l->first = c;
        l->init = container_open_init(c);
        r = journal_reader_open(&query, &l->reader, reterr);
        if (r == 0)
                r = journal_reader_seek(l->reader, l->options->since, l->options->until, l->options->lines, reterr);
        return r;
}

int runtime_logs(const Runtime *rt, const char *id, const LogsOptions *options, const LogSink *sink, Error *reterr) {
        Logs l = { .rt = rt, .id = id, .options = options, .sink = sink, .init = -EBADF };
        _cleanup_container_ Container c = { .dir = -EBADF };
        int r = runtime_find(rt, id, LOCK_NONE, &c, reterr);

        if (r < 0)
                return r;
        if (!home_is_supervised(c.record.home))
                return error_setf(reterr, EOPNOTSUPP,
                                  "container %s is not supervised: what it writes went to where \"create\" or \"run\" "
                                  "had its output, and an engine keeps that itself",
                                  id);
        r = begin(&l, &c, reterr);
        if (r == 0 && options->follow)
                r = follow(&l, reterr);
        else if (r == 0)
                r = container_status(&c) == STATUS_STOPPED ? pass_on_the_rest(&l, reterr) : pass_on(&l, reterr);
        close_fd(l.init);
        l.reader = journal_reader_close(l.reader);
        return MIN(r, 0);
}
