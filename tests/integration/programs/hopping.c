/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hopping: a process whose first thread has ended, and of the others each makes the next one and ends. */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STACKS 64
#define THREAD (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)

static char stacks[STACKS][16384] __attribute__((aligned(16)));

static int hop(void *data) {
        unsigned long next = ((unsigned long) data + 1) % STACKS;

        while (clone(hop, stacks[next] + sizeof(stacks[next]), THREAD, (void *) next) < 0)
                ;
        syscall(SYS_exit, 0);
        return 0;
}

int main(void) {
        sigset_t all;

        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, NULL);
        setvbuf(stdout, NULL, _IONBF, 0);
        puts("there");
        clone(hop, stacks[0] + sizeof(stacks[0]), THREAD, NULL);
        syscall(SYS_exit, 0);
        return 0;
}
