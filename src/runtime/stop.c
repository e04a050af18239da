/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <signal.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "basic/loop.h"
#include "host/observe.h"
#include "host/process.h"
#include "host/service.h"
#include "runtime/find.h"
#include "steps/ending.h"

#define GRACE_USEC UINT64_C(10000000)

static void signal_and_wait(int init, int signal, uint64_t grace) {
        if (process_signal(init, signal) == 0)
                (void) pidfd_wait(init, deadline_in(grace));
}

/* Another signal, or another time, than systemd knows. What it starts again as soon as the process has ended waits for our
 * lock. */
static int stop_our_way(const Runtime *rt, const char *id, int signal, uint64_t grace, Container *locked,
                        Error *reterr) {
        _cleanup_close_ int init = -EBADF;
        int r = runtime_find(rt, id, LOCK_WAIT, locked, reterr);

        if (r < 0)
                return r;
        init = container_open_init(locked);
        if (container_status(locked) == STATUS_RUNNING) /* as below */
                signal_and_wait(init, signal ?: record_stop_signal(&locked->record), grace);
        return ending_kill(locked, reterr);
}

/* Else systemd would start it again, or is about to. */
static int stop_service(const Runtime *rt, const Container *c, int signal, uint64_t grace, Error *reterr) {
        _cleanup_container_ Container locked = { .dir = -EBADF };
        _cleanup_manager_ Manager *m = NULL;
        _cleanup_(arena_done) Arena a = {};
        int r = manager_open(&rt->caller, c->record.user_manager, &m, reterr);
        bool ours;

        if (r == 0)
                r = service_is_of(m, c->record.unit, rt->root, c->id, reterr);
        if (r <= 0)
                return r;
        ours = signal > 0 || grace != STOP_GRACE_OWN;
        if (ours && grace == STOP_GRACE_OWN)
                r = service_stop_timeout(m, c->record.unit, &grace, reterr);
        if (r >= 0 && ours)
                r = stop_our_way(rt, c->id, signal, grace, &locked, reterr);
        return r < 0 ? r : service_stop(m, c->record.unit, record_end_unit(&c->record, &a), reterr);
}

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
        if (home_is_supervised(c.record.home))
                return stop_service(rt, &c, signal, grace, reterr);
        if (status == STATUS_STOPPED) /* of its processes others may be left */
                return ending_kill(&c, reterr);
        if (init < 0 || (status != STATUS_RUNNING && status != STATUS_PAUSED))
                return error_setf(reterr, EBUSY, "cannot stop container %s: container not running%s", id,
                                  status == STATUS_CREATED ? " (it was never started: delete --force)" :
                                  status == STATUS_CREATING ? " (it is being created)" : "");
        if (signal == 0)
                signal = record_stop_signal(&c.record);
        if (grace == STOP_GRACE_OWN)
                grace = GRACE_USEC;
        /* A frozen process would keep the signal for later: no grace for it. */
        if (status == STATUS_RUNNING && grace > 0) {
                log_info("container %s: signal %d, and time to end", id, signal);
                signal_and_wait(init, signal, grace);
        }
        r = ending_kill(&c, reterr);
        if (r == 0)
                log_info("container %s: none of its processes runs", id);
        return r;
}
