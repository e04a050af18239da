/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The end of what runs in a container. */
#include "steps/ending.h"

#include <errno.h>
#include <signal.h>

#include "basic/fd.h"
#include "host/cgroup.h"
#include "host/observe.h"
#include "host/process.h"

/* After this long without an end, kill again, and one after the other: an exec may have brought in a process meanwhile, and
 * cgroup.kill may have passed over one. */
#define KILL_AGAIN_USEC UINT64_C(200000)

/* 10 s is what we have set ourselves; the rest is the kernel's to say. */
static int stays(int r, const Container *c, const char *what, Error *reterr) {
        return r == -ETIMEDOUT ? error_setf(reterr, ETIMEDOUT, "%s of container %s has not ended in time", what, c->id)
                               : error_errnof(reterr, r, "%s of container %s cannot be ended", what, c->id);
}

int ending_kill_first(const Container *c, int init, Error *reterr) {
        int r = init < 0 ? -ESRCH : process_signal(init, SIGKILL);

        if (r == 0)
                (void) process_wait(c->record.pid, init, now_usec() + ENDING_PASSING_USEC);
        return r < 0 && r != -ESRCH ? error_errnof(reterr, r, "cannot kill the process of container %s", c->id) : 0;
}

bool ending_is_left_to_systemd(const Container *c) {
        _cleanup_close_ int init = c->record.home == HOME_SERVICE ? container_open_init(c) : -EBADF;

        return c->record.home == HOME_SERVICE && (init < 0 || pidfd_has_exited(init));
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
        _cleanup_close_ int cgroup = container_open_cgroup(c), init = container_open_init(c);
        int r = ending_kill_first(c, init, cgroup < 0 ? reterr : NULL); /* else there is another way to it */

        if (r < 0 && cgroup < 0)
                return r;
        r = cgroup < 0 || ending_is_left_to_systemd(c) ? 0 : kill_cgroup(cgroup, c->record.cgroup, deadline);
        if (r < 0)
                return stays(r, c, "a process", reterr);
        r = init < 0 ? 0 : process_wait(c->record.pid, init, deadline);
        return r < 0 ? stays(r, c, "the process", reterr) : 0;
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
