/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <limits.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/loop.h"
#include "host/end.h"
#include "host/observe.h"
#include "host/process.h"
#include "host/session.h"
#include "runtime/find.h"

/* For who has to collect the process, and to write down how it ended: that comes at once, if it comes. */
#define SEEN_USEC UINT64_C(10000000)

/* What is waited for, and what says that something may have changed. */
typedef struct Wait {
        const Runtime *rt;
        const char *id;
        char *session;           /* of it, by its name; or NULL */
        char *what;              /* "container web" */
        char *above, *directory; /* what it is remembered in, if there is such a thing */
        WaitCondition condition;
        uint64_t deadline;
        int changes;            /* inotify, of the root directory and of the container's */
        int init;               /* a pidfd of the process that was there last; -EBADF */
        int end;                /* where its end is written down, open since it was there; -EBADF */
        bool known;             /* there was such a container */
} Wait;

static void watch(const Wait *w, const char *path) {
        (void) inotify_add_watch(w->changes, path,
                                 IN_CREATE | IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_TO | IN_DELETE_SELF | IN_ONLYDIR);
}

static int begin(Wait *w, Error *reterr) {
        w->changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (w->changes < 0)
                return error_errnof(reterr, errno, "cannot watch %s", w->what);
        w->above = w->session ? xasprintf("%s/%s/" CONTAINER_SESSIONS, w->rt->root, w->id) : xstrdup(w->rt->root);
        w->directory = xasprintf("%s/%s", w->above, w->session ?: w->id);
        watch(w, w->above);
        return 0;
}

static int find(const Wait *w, const char *session, Container *ret, Error *reterr) {
        _cleanup_container_ Container c = { .dir = -EBADF };
        int r = runtime_find(w->rt, w->id, LOCK_NONE, session ? &c : ret, reterr);

        return r < 0 || !session ? r : session_find(&c, session, LOCK_NONE, ret, reterr);
}

static bool is_missing(const Error *e) {
        return e->kind == ERROR_NO_CONTAINER || e->kind == ERROR_NO_SESSION;
}

/* Who is meant. A session has to be there: nobody knows what the next one will be called. */
static int name(Wait *w, const char *session, Error *reterr) {
        _cleanup_container_ Container c = { .dir = -EBADF };
        int r;

        w->what = session ? xasprintf("session %s of container %s", session, w->id) : xasprintf("container %s", w->id);
        if (!session)
                return 0;
        r = find(w, session, &c, reterr);
        if (r < 0)
                return r;
        w->session = xstrdup(c.id);
        w->known = true;
        return 0;
}

static bool is_met(WaitCondition condition, Status status) {
        switch (condition) {
        case WAIT_CREATED:
                return status == STATUS_CREATED;
        case WAIT_RUNNING:
                return status == STATUS_RUNNING || status == STATUS_PAUSED;
        case WAIT_STOPPED:
                return status == STATUS_STOPPED;
        default:
                return false;
        }
}

static void forget(Container *c) {
        container_done(c);
        *c = (Container){ .dir = -EBADF };
}

/* One that has ended may be forgotten at once, and who has seen that has written it down before. */
static int look_behind(const Wait *w, Error *error, Error *reterr) {
        _cleanup_(arena_done) Arena a = {};
        Exit e;

        if (w->condition == WAIT_REMOVED)
                return 1;
        if (!w->known && w->condition != WAIT_STOPPED)
                return 0;
        return w->condition == WAIT_STOPPED && end_read(w->end, &a, &e) == 0 ? 1 : error_move(reterr, error);
}

static void replace(int *fd, int by) {
        if (by < 0)
                return;
        close_fd(*fd);
        *fd = by;
}

/* 1: it is so. What can be never any more is an error. */
static int look(Wait *w, Container *c, Error *reterr) {
        _cleanup_error_ Error error = {};
        Status status;
        int r;

        forget(c);
        watch(w, w->directory); /* first: what changes from here on is looked at once more */
        r = find(w, w->session, c, &error);
        if (is_missing(&error))
                return look_behind(w, &error, reterr);
        if (r < 0)
                return error_move(reterr, &error);
        w->known = true;
        replace(&w->init, container_open_init(c));
        replace(&w->end, end_open(c));
        status = container_status(c);
        if (is_met(w->condition, status))
                return 1;
        return status == STATUS_STOPPED && w->condition != WAIT_REMOVED
                       ? error_setf(reterr, EBUSY, "%s has stopped", w->what)
                       : 0;
}

static int wait_for_change(const Wait *w, uint64_t deadline) {
        bool ended = w->init >= 0 && pidfd_has_exited(w->init);
        struct pollfd fds[] = { { .fd = w->changes, .events = POLLIN }, { .fd = ended ? -1 : w->init, .events = POLLIN } };
        int r = loop_wait(fds, ELEMENTSOF(fds), deadline);
        char events[sizeof(struct inotify_event) + NAME_MAX + 1];

        if (r > 0 && fds[0].revents)
                while (read(w->changes, events, sizeof(events)) > 0)
                        ;
        return r;
}

/* systemd has not called us yet: it is about to. */
static bool is_ending(const Container *c) {
        _cleanup_free_ char *now = home_is_supervised(c->record.home) ? container_unit_invocation(c) : NULL;

        return now && streq_null(now, c->record.invocation_id);
}

/* What who has seen the end writes down: `run --keep`, or we as systemd calls us. */
static int wait_for_word(const Wait *w, const Container *c, Arena *a, Exit *ret) {
        for (;;) {
                uint64_t deadline = MIN(w->deadline, now_usec() + SEEN_USEC);
                int r = end_read(w->end, a, ret), changed;

                if (r >= 0 || !c->record.kept)
                        return r;
                changed = wait_for_change(w, deadline);
                if (changed < 0 || (changed == 0 && (deadline == w->deadline || !is_ending(c))))
                        return r;
        }
}

/* Of a scope the kernel may tell, and that is asked first: it knows as soon as the process has been collected. */
static int read_exit(const Wait *w, const Container *c, Arena *a, Exit *ret) {
        uint64_t deadline = MIN(w->deadline, now_usec() + SEEN_USEC);
        int status;

        if (home_is_supervised(c->record.home) || w->init < 0 || process_exit_status(w->init, deadline, &status) < 0)
                return wait_for_word(w, c, a, ret);
        *ret = exit_from_wait(status, a);
        return 0;
}

static int find_status(const Wait *w, const Container *c, int *ret, Error *reterr) {
        _cleanup_(arena_done) Arena a = {};
        Exit e;
        int r = read_exit(w, c, &a, &e);

        if (r < 0)
                r = end_find(c, w->end, &a, &e);
        if (r == 0)
                r = *ret = exit_status(&e);
        if (r >= 0)
                return 0;
        if (w->session)
                return error_setf(reterr, EOPNOTSUPP, "%s has stopped; with which status systemd has not told",
                                  w->what);
        return error_setf(reterr, EOPNOTSUPP,
                          "container %s has stopped; with which status is known to who was its parent "
                          "alone, and to Linux from 6.15 on while somebody waits for it",
                          w->id);
}

static int wait_until(Wait *w, Container *c, Error *reterr) {
        int r = begin(w, reterr);

        while (r == 0 && (r = look(w, c, reterr)) == 0) {
                r = wait_for_change(w, w->deadline);
                r = r < 0    ? error_passf(reterr, r, "%s", errno_text(r))
                    : r == 0 ? error_setf(reterr, ETIMEDOUT, "%s: timed out", w->what)
                             : 0;
        }
        return r;
}

int runtime_wait(const Runtime *rt, const char *id, const char *session, WaitCondition condition, uint64_t timeout,
                 int *ret_status, Error *reterr) {
        Wait w = { .rt = rt, .id = id, .condition = condition, .changes = -EBADF, .init = -EBADF, .end = -EBADF };
        _cleanup_container_ Container c = { .dir = -EBADF };
        _cleanup_error_ Error error = {};
        int r;

        w.deadline = deadline_in(timeout);
        r = name(&w, session, &error);
        if (r == 0)
                r = wait_until(&w, &c, &error);
        else if (is_missing(&error) && condition == WAIT_REMOVED)
                r = 1;
        if (r > 0)
                r = condition == WAIT_STOPPED ? find_status(&w, &c, ret_status, &error) : 0;
        close_fd(w.changes);
        close_fd(w.init);
        close_fd(w.end);
        free(w.session);
        free(w.what);
        free(w.above);
        free(w.directory);
        return r < 0 ? error_move(reterr, &error) : 0;
}
