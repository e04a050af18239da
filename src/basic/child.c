/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/child.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/loop.h"

int child_wait(pid_t pid, uint64_t deadline, int *ret_status) {
        _cleanup_close_ int pidfd = (int) syscall(SYS_pidfd_open, pid, 0);
        int r;

        if (pidfd < 0)
                return errno == ESRCH ? -ECHILD : -errno;
        r = pidfd_wait(pidfd, deadline);
        if (r < 0)
                return r;
        /* Who traces it hears of its end before us, and may keep it. */
        return waitpid(pid, ret_status, WNOHANG) == pid ? 0 : -ECHILD;
}

void child_kill(pid_t pid, bool group) {
        int status, before = loop_interrupt(-EBADF);

        if (group)
                (void) kill(-pid, SIGKILL);
        (void) kill(pid, SIGKILL);
        (void) child_wait(pid, UINT64_MAX, &status);
        (void) loop_interrupt(before);
}
