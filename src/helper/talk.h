/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "helper/helper.h"
#include "plan/init/protocol.h"

/* Messages with the launcher (plan/init/protocol.h). A launcher that is gone ends the helper: nobody is left
 * to be told, and nobody wants the container any more. */

/* One message, with a descriptor or -EBADF. */
int talk_send(Helper *h, InitMessageType type, int value, int fd, Error *e);

/* Waits for exactly this message, or has heard it: those that may come at any time are kept. */
int talk_wait(Helper *h, InitMessageType type, Error *e);

/* Says the rest over the pipes, once all has come that comes over the socket: from here on the container may get at what we
 * have open, and a socket would tell it who holds the other end. */
int talk_by_pipes(Helper *h, Error *e);

/* The last message. */
void talk_error(Helper *h, const Error *e);
