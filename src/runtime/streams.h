/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "basic/error.h"
#include "basic/macro.h"
#include "host/caller.h"
#include "plan/facts.h"

/*
 * Standard descriptors of the caller's that the container is not to have (InitPlan.piped): it gets pipes, and we pass on what
 * comes. Of a file or a pipe as its input, who goes on with that gets what the container has not taken.
 */
#define STREAMS 3

typedef struct Streams Streams;

CallerStdio streams_look(const Caller *caller);

/* The pipes for those; nothing for none. After foreground_begin(). */
int streams_new(const Caller *caller, uint8_t piped, Streams **ret, Error *reterr);
Streams *streams_free(Streams *s);

/* What becomes 0, 1 or 2 of the container: a pipe's end, ours to close, by streams_begin(), or the caller's own. s may be
 * NULL. */
int streams_inside(const Streams *s, const Caller *caller, int fd);

/* The container has its ends, and the process is the one that speaks by them. */
void streams_begin(Streams *s, pid_t pid);
/* What to wait for, and what to do when something of it has come. */
void streams_ask(const Streams *s, struct pollfd ret[STREAMS]);
void streams_copy(Streams *s, const struct pollfd fds[STREAMS]);

/* The process has ended: what it wrote is still to be passed on. */
void streams_end(Streams *s);
bool streams_are_ending(const Streams *s);
bool streams_are_over(const Streams *s);
