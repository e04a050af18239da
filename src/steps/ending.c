/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The end of what runs in a container. */
#include "steps/ending.h"

#include <errno.h>
#include <signal.h>

#include "basic/fd.h"
#include "host/cgroup.h"
#include "host/process.h"

/* After this long without an end, kill again, and one after the other: an exec may have brought in a process meanwhile, and
 * cgroup.kill may have passed over one. */
#define KILL_AGAIN_USEC UINT64_C(200000)

/* 10 s is what we have set ourselves; the rest is the kernel's to say. */
static int stays(int r, const Container *c, const char *what, Error *reterr) {
        return r == -ETIMEDOUT ? error_setf(reterr, ETIMEDOUT, "%s of container %s has not ended in time", what, c->id)
                               : error_errnof(reterr, r, "%s of container %s cannot be ended", what, c->id);
}

static int kill_init(const Container *c, uint64_t deadline, Error *reterr) {
        _cleanup_close_ int pidfd = container_open_init(c);
        int r;

        if (pidfd < 0)
                return 0;
        r = process_signal(pidfd, SIGKILL);
        if (r < 0 && r != -ESRCH)
                return error_errnof(reterr, r, "cannot kill the process of container %s", c->id);
        r = process_wait(c->record.pid, pidfd, deadline);
        return r < 0 ? stays(r, c, "the process", reterr) : 0;
}

static int kill_cgroup(int cgroup, const char *path, uint64_t deadline) {
        for (;;) {
                int r = cgroup_kill(cgroup);

                if (r == 0)
                        r = cgroup_wait_empty(cgroup, MIN(deadline, now_usec() + KILL_AGAIN_USEC));
                if (r != -ETIMEDOUT || now_usec() >= deadline)
                        return r;
                (void) cgroup_signal(cgroup, path, SIGKILL);
        }
}

int ending_kill(const Container *c, Error *reterr) {
        uint64_t deadline = now_usec() + ENDING_TIMEOUT_USEC;
        _cleanup_close_ int cgroup = container_open_cgroup(c);
        int r;

        if (cgroup >= 0) {
                r = kill_cgroup(cgroup, c->record.cgroup, deadline);
                if (r < 0)
                        return stays(r, c, "a process", reterr);
        }
        return kill_init(c, deadline, reterr);
}

int ending_remove_cgroup(const Container *c, Error *reterr) {
        uint64_t deadline = now_usec() + ENDING_TIMEOUT_USEC;
        _cleanup_close_ int cgroup = container_open_cgroup(c);
        int r;

        if (cgroup < 0)
                return cgroup == -ENOENT ? 0 : error_errnof(reterr, cgroup, "cannot open cgroup %s", c->record.cgroup);
        r = kill_cgroup(cgroup, c->record.cgroup, deadline);
        if (r < 0)
                return stays(r, c, "a process", reterr);
        r = cgroup_remove(cgroup, c->record.cgroup, deadline);
        return r < 0 ? error_errnof(reterr, r, "cannot remove cgroup %s of container %s", c->record.cgroup, c->id) : 0;
}
