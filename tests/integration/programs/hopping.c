/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hopping: a process whose first thread has ended, and of the others each makes the next one and ends. */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STACKS 64
#define THREAD (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | \
                CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)

static char stacks[STACKS][16384] __attribute__((aligned(16)));
static volatile pid_t users[STACKS]; /* whose stack it is; 0 when that thread is done with it */

static int thread(void *data);

static void make(unsigned long number) {
        while (users[number] != 0) /* it has made another thread, and has not come to end */
                sched_yield();
        while (clone(thread, stacks[number] + sizeof(stacks[number]), THREAD, (void *) number, (pid_t *) &users[number],
                     NULL, (pid_t *) &users[number]) < 0)
                ;
}

static int thread(void *data) {
        make(((unsigned long) data + 1) % STACKS);
        syscall(SYS_exit, 0);
        return 0;
}

int main(void) {
        sigset_t all;

        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, NULL);
        setvbuf(stdout, NULL, _IONBF, 0);
        puts("there");
        make(0);
        syscall(SYS_exit, 0);
        return 0;
}
