/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "basic/fd.h"
#include "host/observe.h"
#include "runtime/again.h"
#include "runtime/find.h"

/* Whose process it was, what that had on its descriptors and by which sockets it was made nobody knows any more; and who made
 * it, as an engine, takes the end of that process for that of the container. */
static int refuse(const Container *c, Error *reterr) {
        return error_setf(reterr, EOPNOTSUPP,
                          "cannot restart container %s: it is not supervised, and who made it has its input and output "
                          "(ocirt-sd remove --force %s, and run it again: ocirt-sd run --supervise --bundle %s %s)",
                          c->id, c->id, c->record.bundle ?: "BUNDLE", c->id);
}

/* One of a service that has it forgotten with each end: that knows by itself of what to make it anew. */
static int start_again(const Runtime *rt, Container *seen, const char *program, Error *reterr) {
        _cleanup_container_ Container c = { .dir = -EBADF };
        _cleanup_error_ Error error = {};
        int r = runtime_find(rt, seen->id, LOCK_WAIT, &c, &error);

        if (error.kind == ERROR_NO_CONTAINER && seen->record.home == HOME_IN_SERVICE)
                return again_start(rt, seen, program, true, reterr);
        return r < 0 ? error_move(reterr, &error) : again_start(rt, &c, program, true, reterr);
}

int runtime_restart(const Runtime *rt, const char *id, const char *program, uint64_t grace, Error *reterr) {
        _cleanup_container_ Container seen = { .dir = -EBADF };
        int r = runtime_find(rt, id, LOCK_NONE, &seen, reterr);

        if (r == 0 && !home_is_supervised(seen.record.home))
                r = refuse(&seen, reterr);
        if (r == 0 && container_status(&seen) == STATUS_PAUSED) /* what systemd has frozen it does not restart */
                r = runtime_resume(rt, id, reterr);
        if (r == 0 && grace != STOP_GRACE_OWN)
                r = runtime_stop(rt, id, 0, grace, reterr);
        return r < 0 ? r : start_again(rt, &seen, program, reterr);
}
