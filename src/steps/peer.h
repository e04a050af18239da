/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/error.h"
#include "host/caller.h"

/* Who gets a descriptor of the container's from us: an engine, an agent; or, of its terminal, the caller. */

/* Connects to --console-socket or --pidfd-socket (any length of path). */
int peer_connect(const char *path, Error *reterr);
/* Sends the descriptor as engines expect it: one message, a name as payload, one descriptor. */
int peer_send(int socket, const char *name, int fd, Error *reterr);

/* Of a terminal that is served by us, before the program runs: it is of the size of ours, and if its output goes to a file
 * or a pipe, lines end as the program writes them. */
void terminal_prepare(const Caller *caller, int master);
void terminal_take_size(int terminal, int master);
