/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gate at which the first process of a container waits to be started, for who has CAP_SYS_PTRACE. */
#pragma once

#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "say.h"

#define DESCRIPTORS 64

/* The socket that listens. */
static inline int take_gate(void) {
        int process = (int) syscall(SYS_pidfd_open, 1, 0);

        for (int fd = 0; process >= 0 && fd < DESCRIPTORS; fd++) {
                int taken = (int) syscall(SYS_pidfd_getfd, process, fd, 0), listens = 0;
                socklen_t size = sizeof(listens);

                if (taken >= 0 && getsockopt(taken, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens)
                        return taken;
                close(taken);
        }
        return -1;
}

static inline void stop_first_process(void) {
        check((int) ptrace(PTRACE_SEIZE, 1, NULL, NULL), "PTRACE_SEIZE");
        check((int) ptrace(PTRACE_INTERRUPT, 1, NULL, NULL), "PTRACE_INTERRUPT");
        check(waitpid(1, NULL, 0), "waitpid");
}
