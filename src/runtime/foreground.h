/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/launch.h"
#include "runtime/console.h"
#include "runtime/notify.h"
#include "runtime/streams.h"

/* Being the parent of a container's process until it ends: signals go on to it, and its terminal or its pipes are
 * served. */

/* Before the process is spawned: from here on signals wait for foreground_wait(). *ret_interrupt, to be closed as well, can be
 * read when one of them wants an end, which as long as no program runs is ours. Returns a signalfd. No SIGPIPE
 * comes to us any more, and there is a second thread, which does nothing (HACKING, "have a second thread"). */
int foreground_begin(int *ret_interrupt, Error *reterr);

typedef struct Foreground {
        const Launch *launch;
        int signals, interrupt; /* of foreground_begin() */
        Console *console;       /* its terminal, or NULL */
        Streams *streams;       /* by which it has pipes in the place of ours, or NULL */
        Notify *notify;         /* what it tells the service that we are, or NULL */
} Foreground;

/* *ret_status: exit status, or 128 + the signal that ended it. -ETIMEDOUT, without an error, when it still runs at the
 * deadline: call again. */
int foreground_wait(const Foreground *f, uint64_t deadline, int *ret_status, Error *reterr);
