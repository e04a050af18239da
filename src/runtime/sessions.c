/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What there is of sessions, a signal for one, and its end. */
#include <errno.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "host/end.h"
#include "host/observe.h"
#include "host/process.h"
#include "host/session.h"
#include "runtime/find.h"
#include "runtime/session.h"

static int find(const Runtime *rt, const char *id, const char *word, LockMode lock, Container *ret, Error *reterr) {
        _cleanup_container_ Container c = { .dir = -EBADF };
        int r = runtime_find(rt, id, LOCK_NONE, &c, reterr);

        return r < 0 ? r : session_find(&c, word, lock, ret, reterr);
}

/* What it has of a word that somebody has given must not look like a row, or talk to a terminal: printing sees to that. */
static const char *command_of(const Container *session, Arena *a) {
        _cleanup_text_ Text text = {};
        SessionRequest request = {};

        if (session_request_read(session, a, &request, NULL) < 0)
                return "";
        if (!request.options.args)
                return request.options.process_file ?: "";
        for (char *const *word = request.options.args; *word; word++)
                text_addf(&text, "%s%s", text.n > 0 ? " " : "", *word);
        return arena_strdup(a, text.s ?: "");
}

/* As a shell would report it; negative: not known. */
static int exit_of(const Container *session, Arena *a) {
        _cleanup_close_ int fd = end_open(session);
        Exit e;
        int r = end_find(session, fd, a, &e);

        return r < 0 ? r : exit_status(&e);
}

static SessionRow row_of(const Container *session, Status whole, Arena *a) {
        SessionRow row = {
                .name = arena_strdup(a, session->id),
                .created = arena_strdup(a, session->record.created ?: ""),
                .command = command_of(session, a),
                .pid = session->record.pid,
                .status = container_status(session),
                .exit_status = -ENODATA,
        };

        if (row.status == STATUS_RUNNING && whole == STATUS_PAUSED)
                row.status = STATUS_PAUSED;
        if (row.status == STATUS_STOPPED)
                row.exit_status = exit_of(session, a);
        return row;
}

static int compare(const void *a, const void *b) {
        return strcmp(((const SessionRow *) a)->created, ((const SessionRow *) b)->created);
}

int runtime_sessions(const Runtime *rt, const char *id, Arena *a, SessionRow **ret, size_t *ret_n, Error *reterr) {
        _cleanup_container_ Container c = { .dir = -EBADF };
        _cleanup_store_ Store store = { .fd = -EBADF };
        char **names = NULL;
        size_t n = 0;
        Status whole;
        int r;

        r = runtime_find(rt, id, LOCK_NONE, &c, reterr);
        if (r == 0)
                r = session_store_open(&c, false, &store, reterr);
        if (r == 0)
                r = store_list(&store, a, &names, reterr);
        if (r < 0)
                return r;
        whole = container_status(&c);
        while (names && names[n])
                n++;
        *ret = arena_calloc(a, n + 1, sizeof(**ret));
        *ret_n = 0;
        for (size_t i = 0; i < n; i++) {
                _cleanup_container_ Container session = { .dir = -EBADF };

                if (session_open(&store, id, names[i], LOCK_NONE, &session, NULL) == 0)
                        (*ret)[(*ret_n)++] = row_of(&session, whole, a);
        }
        qsort(*ret, *ret_n, sizeof(**ret), compare);
        return 0;
}

int runtime_kill_session(const Runtime *rt, const char *id, const char *word, int signal, Error *reterr) {
        _cleanup_container_ Container session = { .dir = -EBADF };
        _cleanup_close_ int process = -EBADF;
        int r = find(rt, id, word, LOCK_NONE, &session, reterr);

        if (r < 0)
                return r;
        process = container_open_init(&session);
        r = process < 0 ? process : process_signal(process, signal);
        if (r == -ESRCH)
                return error_setf(reterr, EBUSY, "cannot signal session %s of container %s: it has ended", session.id,
                                  id);
        if (r < 0)
                return error_errnof(reterr, r, "cannot signal session %s of container %s", session.id, id);
        log_info("container %s: signal %d sent to session %s", id, signal, session.id);
        return 0;
}

int runtime_delete_session(const Runtime *rt, const char *id, const char *word, bool force, Error *reterr) {
        _cleanup_container_ Container session = { .dir = -EBADF };
        _cleanup_error_ Error error = {};
        int r = find(rt, id, word, force ? LOCK_BREAK : LOCK_WAIT, &session, &error);

        if (force && (error.kind == ERROR_NO_CONTAINER || error.kind == ERROR_NO_SESSION))
                return 0;
        if (r < 0)
                return error_move(reterr, &error);
        if (!force && container_status(&session) != STATUS_STOPPED)
                return error_setf(reterr, EBUSY,
                                  "cannot delete session %s of container %s: it is running (kill --session %s %s "
                                  "first, or delete --force)",
                                  session.id, id, session.id, id);
        return session_remove(rt, &session, reterr);
}
