/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <signal.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "basic/loop.h"
#include "host/process.h"
#include "runtime/find.h"
#include "steps/ending.h"

int runtime_stop(const Runtime *rt, const char *id, int signal, uint64_t grace, Error *reterr) {
        _cleanup_container_ Container c = { .dir = -EBADF };
        _cleanup_close_ int init = -EBADF;
        Status status;
        int r;

        r = runtime_find(rt, id, LOCK_NONE, &c, reterr);
        if (r < 0)
                return r;
        status = container_status(&c);
        init = container_open_init(&c);
        if (status == STATUS_STOPPED) /* of its processes others may be left */
                return ending_kill(&c, reterr);
        if (init < 0 || (status != STATUS_RUNNING && status != STATUS_PAUSED))
                return error_setf(reterr, EBUSY, "cannot stop container %s: container not running%s", id,
                                  status == STATUS_CREATED ? " (it was never started: delete --force)" :
                                  status == STATUS_CREATING ? " (it is being created)" : "");
        if (signal == 0 && c.record.stop_signal)
                signal = parse_signal(c.record.stop_signal);
        if (signal <= 0)
                signal = SIGTERM;
        /* A frozen process would keep the signal for later: no grace for it. */
        if (status == STATUS_RUNNING && grace > 0) {
                log_info("container %s: signal %d, and time to end", id, signal);
                r = process_signal(init, signal);
                if (r == 0)
                        (void) pidfd_wait(init, grace == UINT64_MAX ? UINT64_MAX : now_usec() + grace);
        }
        r = ending_kill(&c, reterr);
        if (r == 0)
                log_info("container %s: none of its processes runs", id);
        return r;
}
