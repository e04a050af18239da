/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/launch.h"
#include "runtime/console.h"
#include "runtime/notify.h"

/* Being the parent of a container's process until it ends: signals go on to it, and its terminal is served. */

/* Before the process is spawned: from here on signals wait for foreground_wait(). *ret_interrupt, to be closed as well, can be
 * read when one of them wants an end, which as long as no program runs is ours. Returns a signalfd. */
int foreground_begin(int *ret_interrupt, Error *reterr);

/* *ret_status: exit status, or 128 + the signal that ended it. console: its terminal, or NULL; notify: what it tells the
 * service that we are, or NULL. -ETIMEDOUT, without an error, when it still runs at the deadline: call again. */
int foreground_wait(Launch *launch, int signals, Console *console, Notify *notify, uint64_t deadline, int *ret_status,
                    Error *reterr);
