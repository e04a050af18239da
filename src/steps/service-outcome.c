/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "steps/service-outcome.h"

#include <errno.h>

#include "host/end.h"

/* We have written down why it went wrong. */
static int explain(const Container *c, Error *asked, Error *reterr) {
        _cleanup_(arena_done) Arena a = {};
        const char *why = end_read_failure(c, &a);

        return why ? error_setf(reterr, EIO, "%s", why) : error_move(reterr, asked);
}

/* systemd is content as soon as there is a process. Who has made it lets go of the lock when that has executed its program. */
int service_outcome(const Store *store, const Container *c, const char *unit, Error *asked, pid_t *ret_pid,
                    Error *reterr) {
        _cleanup_container_ Container now = { .dir = -EBADF };
        _cleanup_error_ Error none = {};
        int r;

        if (asked->code != 0)
                return explain(c, asked, reterr);
        r = container_open(store, c->id, LOCK_WAIT, &now, &none);
        if (none.kind == ERROR_NO_CONTAINER && c->record.home == HOME_IN_SERVICE)
                return 0; /* it has ended well, and been forgotten */
        if (r < 0)
                return error_move(reterr, &none);
        if (!now.record.committed)
                (void) error_setf(&none, EIO, "service %s was not started", unit);
        *ret_pid = now.record.pid;
        return explain(&now, &none, reterr);
}
