/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * A standard descriptor of the caller's, and the pipe that the container has in its place: bytes go from the one to the other,
 * and neither is waited for. The caller's stays as it is, as others have it too: it is not made non-blocking, nor shut down.
 */
#define STREAM_SIZE 65536U /* what is in a pipe */

typedef struct Stream {
        int outside;            /* the caller's */
        bool is_input;          /* descriptor 0 */
        bool is_pipe, is_socket; /* what is outside */
        int pipe;               /* our end; -EBADF: nothing comes or goes any more */
        int inside;             /* the container's end */
        size_t left;            /* how much is to be read yet; SIZE_MAX: all */
        size_t at, end;         /* of the bytes, those that were read and not written yet */
        uint64_t given;         /* how many were written */
        char bytes[STREAM_SIZE];
        int scratch[2];         /* where what is outside is a pipe: one of our own, with room for what is passed on at once */
        /* From a pipe: */
        bool is_full;           /* that of the container has no room for more */
        size_t lent;            /* of what is outside, what has been shown to the container */
        char copy[STREAM_SIZE]; /* of that */
} Stream;

void stream_begin(Stream *s, int fd, int outside);
void stream_done(Stream *s);
/* -errno */
int stream_make_pipe(Stream *s);
/* The container has its end. We keep that of an input which can be given back, to see what is left in there. */
void stream_is_inside(Stream *s);

/* What to wait for, and what to do when it is there. In the name of the process pid (SCM_CREDENTIALS). */
struct pollfd stream_ask(const Stream *s);
void stream_pass(Stream *s, pid_t pid);

/* The process has ended: what it has not taken is the caller's again, and what is in the pipe for him now is passed on, and no
 * more. Who else has the pipe may write for ever. */
void stream_end(Stream *s);
