/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/fd.h"
#include "helper/steps.h"
#include "helper/talk.h"

/*
 * Mounts that come to a mount namespace of another user namespace are locked together there (mount_namespaces(7)). So ours
 * are copied into that of a child, and back into one that is ours again: who owns the user namespace, and that is every root
 * without one of his own, may do in its mount namespaces what he likes, so none of these stays.
 */

/* On our memory, with a table of descriptors of its own, until we close the other end. */
static int hold(void *data) {
        const int *ends = data;
        char byte;

        (void) close(ends[1]);
        (void) !read(ends[0], &byte, 1);
        return 0;
}

/* 1 when all is locked, 0 if there can be no such child. */
static int copy_there_and_back(Helper *h, Error *e) {
        char stack[16384] __attribute__((aligned(16)));
        int ends[2], pidfd = -EBADF, r = 1;
        pid_t pid;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return error_errnof(e, errno, "create pipe");
        pid = clone(hold, stack + sizeof(stack), CLONE_VM | CLONE_NEWUSER | CLONE_NEWNS | CLONE_PIDFD | SIGCHLD, ends, &pidfd);
        if (pid < 0 || setns(pidfd, CLONE_NEWNS) < 0)
                r = talk_send(h, INIT_MSG_NOT_LOCKED, errno, -EBADF, e);
        else if (unshare(CLONE_NEWNS) < 0)
                r = error_errnof(e, errno, "take mounts back from a user namespace");
        close_fd(pidfd);
        (void) close(ends[0]);
        (void) close(ends[1]);
        while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                ;
        return r;
}

int step_lock_mounts(Helper *h, const InitStep *s, Error *e) {
        int r = copy_there_and_back(h, e);

        if (r <= 0)
                return r;
        h->root = close_fd(h->root);
        r = helper_root(h);
        if (r < 0)
                return error_errnof(e, r, "open /");
        console_reopen(h);
        return 0;
}
