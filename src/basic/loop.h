/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The only place that waits. A verb is written in order, and where it has to wait it calls loop_wait(). On the command line
 * that is poll(2). In a service each operation is a task of a loop: while one waits the others go on, and the loop's
 * descriptor, hung into the service's own loop, says when one of them can.
 *
 * Times are µs on CLOCK_MONOTONIC; UINT64_MAX is never. Errors are -errno.
 */

#define LOOP_WAIT_MAX 16

/* As poll(2), of no more than that: how many of them are ready, 0 at the deadline; -EINTR when nothing is to be waited
 * for any more: the interrupt of who waits can be read, and none of fds. */
int loop_wait(struct pollfd *fds, size_t n, uint64_t deadline);
/* One descriptor: 1 when it is ready, 0 at the deadline. */
int loop_wait_fd(int fd, short events, uint64_t deadline);
/* Until then, without anything else to wait for. */
int loop_sleep(uint64_t usec);

/* A pidfd: 0 when its process has ended, -ETIMEDOUT at the deadline. */
int pidfd_wait(int pidfd, uint64_t deadline);

/* When it can be read, who calls this waits for nothing any more; -EBADF: for everything. Returns the one before, so that
 * what has to come to its end, as taking something back has, can wait without it. The descriptor stays the caller's. */
int loop_interrupt(int fd);
bool loop_is_interrupted(void);

/* What each task has for itself, and on the command line the process. */
typedef struct Local {
        int interrupt;
        const struct LogSettings *log;  /* where its messages go (log.h), or NULL */
} Local;
Local *loop_local(void);

typedef struct Loop Loop;

int loop_new(Loop **ret);
/* With its tasks, wherever they are: what they hold is lost. */
Loop *loop_free(Loop *l);
#define _cleanup_loop_ _cleanup_(loop_freep)
static inline void loop_freep(Loop **l) {
        (void) loop_free(*l);
}

/* Can be read when loop_dispatch() has something to do. */
int loop_fd(const Loop *l);
/* Lets every task go on that can, each until it waits again. Does not wait itself. */
int loop_dispatch(Loop *l);
/* A function on a stack of its own, which begins with the next dispatch and ends when it returns. */
int loop_spawn(Loop *l, void (*function)(void *data), void *data);
/* How many have not ended. */
size_t loop_tasks(const Loop *l);
