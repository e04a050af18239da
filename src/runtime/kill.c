/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <signal.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "host/cgroup.h"
#include "host/process.h"
#include "runtime/runtime.h"

/* Every process in the cgroup, each by a pidfd that is checked to be in it still. */
static int signal_all(int cgroup, const char *path, int signal) {
        _cleanup_free_ pid_t *pids = NULL;
        size_t n;
        int r;

        if (signal == SIGKILL)
                return cgroup_kill(cgroup);
        r = cgroup_pids(cgroup, &pids, &n);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++) {
                ProcessStat stat;
                _cleanup_close_ int pidfd = process_stat(pids[i], &stat) < 0 ? -EBADF : process_open(pids[i], stat.start_time);
                _cleanup_free_ char *now = NULL;

                if (pidfd >= 0 && cgroup_of_pid(pids[i], &now) == 0 && path_is_below(now, path))
                        (void) process_signal(pidfd, signal);
        }
        return 0;
}

static int kill_all(const Container *c, int signal, Error *reterr) {
        _cleanup_close_ int cgroup = c->record.cgroup ? cgroup_open(c->record.cgroup) : -EBADF;
        _cleanup_close_ int init = -EBADF;
        int r = 0;

        if (cgroup >= 0)
                r = signal_all(cgroup, c->record.cgroup, signal);
        else if ((init = container_open_init(c)) >= 0)
                r = process_signal(init, signal);
        return r < 0 && r != -ESRCH ? error_errnof(reterr, r, "cannot signal the processes of container %s", c->id) : 0;
}

int runtime_kill(const Runtime *rt, const char *id, int signal, bool all, Error *reterr) {
        _cleanup_store_ Store store = { .fd = -EBADF };
        _cleanup_container_ Container c = { .dir = -EBADF };
        _cleanup_close_ int init = -EBADF;
        int r;

        /* Without the lock: a kill must get through while another verb waits for this very container. */
        r = store_open(rt->root, false, &store, reterr);
        if (r == 0)
                r = container_open(&store, id, LOCK_NONE, &c, reterr);
        if (r < 0)
                return r;
        if (all)
                return kill_all(&c, signal, reterr);
        init = container_open_init(&c);
        r = init < 0 ? init : process_signal(init, signal);
        if (r == -ESRCH)
                return error_setf(reterr, EBUSY, "cannot signal container %s: container not running", id);
        return r < 0 ? error_errnof(reterr, r, "cannot signal container %s", id) : 0;
}
