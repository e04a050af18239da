/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/launch.h"
#include "runtime/console.h"
#include "steps/notify.h"
#include "runtime/streams.h"

/* Being the parent of a container's process until it ends: signals go on to it, and its terminal or its pipes are
 * served. */

typedef struct Foreground {
        const Launch *launch;
        int signals;            /* those that come to us */
        int interrupt;          /* and of them those that want an end */
        Console terminal;       /* of foreground_serve() */
        Console *console;       /* that, or NULL */
        Streams *streams;       /* by which it has pipes in the place of ours, or NULL */
        Notify *notify;         /* what it tells the service that we are, or NULL */
} Foreground;

#define FOREGROUND_NONE ((Foreground){ .signals = -EBADF, .interrupt = -EBADF, .terminal = CONSOLE_NONE })
#define _cleanup_foreground_ _cleanup_(foreground_done)
void foreground_done(Foreground *f);

/* Before the process is spawned: from here on signals wait for foreground_wait(), and one that wants an end interrupts
 * (loop_interrupt()) what we wait for, as long as no program runs whose end it could be. No SIGPIPE comes to us any more, and
 * there is a second thread, which does nothing (HACKING, "have a second thread"). */
int foreground_begin(Foreground *f, Error *reterr);

/* The process is there: its terminal (the master, which is taken, or -EBADF) and its pipes (or NULL) are served from here
 * on. */
int foreground_serve(Foreground *f, const Caller *caller, const Launch *launch, Streams *streams, int terminal, Error *reterr);

/* *ret_status as waitpid(2) has it. -ETIMEDOUT, without an error, when it still runs at the
 * deadline: call again. */
int foreground_wait(Foreground *f, uint64_t deadline, int *ret_status, Error *reterr);
