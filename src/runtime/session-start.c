/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What systemd calls for a session: ExecStart= of its unit, and the one that follows its end. */
#include <errno.h>
#include <unistd.h>

#include "basic/fd.h"
#include "host/cgroup.h"
#include "host/end.h"
#include "host/session.h"
#include "runtime/exec.h"
#include "runtime/find.h"
#include "runtime/service.h"

static bool is_called_by(const Runtime *rt, const char *unit) {
        _cleanup_free_ char *service = NULL;

        return rt->caller.is_service && cgroup_service_of(getpid(), &service) == 0 &&
               streq(cgroup_unit_name(service), unit);
}

static const char *own_unit(const Record *r, Arena *a) {
        return r->unit ?: "";
}

/* unit: which of its two units calls. */
static int find(const Runtime *rt, const char *id, const char *name, LockMode lock,
                const char *(*unit)(const Record *r, Arena *a), Container *container, Container *ret, Error *reterr) {
        _cleanup_(arena_done) Arena a = {};
        int r = runtime_find(rt, id, LOCK_NONE, container, reterr);

        if (r == 0)
                r = session_find(container, name, lock, ret, reterr);
        if (r == 0 && !is_called_by(rt, unit(&ret->record, &a)))
                r = error_setf(reterr, EBUSY,
                               "session %s of container %s: this is for systemd to call, in its own unit", name, id);
        return r;
}

/* What it writes is the container's, and goes where that goes. */
static int start(const Runtime *rt, const Record *container, Container *session, Error *reterr) {
        _cleanup_service_output_ ServiceOutput output = service_open_output(rt, container);
        _cleanup_(arena_done) Arena a = {};
        SessionRequest request = {};
        int r;

        if (session->record.committed)
                return error_setf(reterr, EBUSY, "session %s of container %s has run already", session->id,
                                  session->of);
        r = session_request_read(session, &a, &request, reterr);
        request.options.id = session->of;
        return r < 0 ? r : exec_session(&output.rt, &request, session, reterr);
}

int runtime_session_start(const Runtime *rt, const char *id, const char *name, Error *reterr) {
        _cleanup_container_ Container c = { .dir = -EBADF }, session = { .dir = -EBADF };
        int r = find(rt, id, name, LOCK_WAIT, own_unit, &c, &session, reterr);

        if (r < 0)
                return r;
        r = start(rt, &c.record, &session, reterr);
        if (r < 0 && reterr && !session.record.committed)
                end_keep_failure(&session, reterr->message);
        return r;
}

int runtime_session_ended(const Runtime *rt, const char *id, const char *name, Error *reterr) {
        _cleanup_container_ Container c = { .dir = -EBADF }, session = { .dir = -EBADF };
        _cleanup_error_ Error error = {};
        _cleanup_(arena_done) Arena a = {};
        Exit e;
        int r = find(rt, id, name, LOCK_NONE, record_end_unit, &c, &session, &error);

        if (error.kind == ERROR_NO_CONTAINER || error.kind == ERROR_NO_SESSION)
                return 0;
        if (r == 0)
                r = service_find_end(&session, &a, &e, &error);
        return r < 0 ? error_move(reterr, &error) : r == 0 ? 0 : end_keep(&session, &e, reterr);
}
