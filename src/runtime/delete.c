/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <signal.h>

#include "basic/fd.h"
#include "host/observe.h"
#include "runtime/find.h"
#include "runtime/removal.h"
#include "runtime/runtime.h"

/* Who holds its lock and cannot be killed may wait for the container, as for a file system that it serves (FUSE): until that
 * answers, or has ended. */
static int find_to_end(const Runtime *rt, const char *id, Container *ret, Error *reterr) {
        int r = runtime_find(rt, id, LOCK_BREAK, ret, reterr);

        if (r == 0 || reterr->kind != ERROR_TIMEOUT || runtime_kill(rt, id, SIGKILL, true, NULL) < 0)
                return r;
        error_done(reterr);
        return runtime_find(rt, id, LOCK_BREAK, ret, reterr);
}

int runtime_delete(const Runtime *rt, const char *id, bool force, Error *reterr) {
        _cleanup_container_ Container c = { .dir = -EBADF };
        _cleanup_error_ Error error = {};
        Status status;
        int r;

        r = force ? find_to_end(rt, id, &c, &error) : runtime_find(rt, id, LOCK_WAIT, &c, &error);
        if (error.kind == ERROR_NO_CONTAINER && force)
                return 0;
        if (r < 0)
                return error_move(reterr, &error);
        if (c.damaged && !force)
                return error_setf(reterr, EBADMSG, "the record of container %s is damaged: delete --force removes it, but "
                                  "leaves a scope of its that still runs", id);
        status = force ? STATUS_STOPPED : container_status(&c); /* a container may keep who looks for that */
        if (status != STATUS_STOPPED)
                return error_setf(reterr, EBUSY, "cannot delete container %s that is not stopped: %s (%s)", id,
                                  status_name(status), status == STATUS_CREATED ? "it was never started: delete --force"
                                                                                : "stop it first, or delete --force");
        return removal_run(rt, &c, NULL, reterr);
}
