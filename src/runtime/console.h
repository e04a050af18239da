/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <termios.h>

#include "basic/error.h"
#include "host/caller.h"

/* The master of a terminal, served by ourselves in the foreground. */

/* On their way: what was read is written before more is. No more than a pipe that is not full takes at once, so that who does
 * not read keeps us from nothing else. */
typedef struct Bytes {
        char bytes[PIPE_BUF];
        size_t at, end;
} Bytes;

/* In the foreground: our own terminal raw, until console_done(); bytes both ways; its size kept equal. */
typedef struct Console {
        int in, out;            /* ours */
        int master;             /* does not block: a container that does not read must not keep us from its output */
        int source;             /* of input: stdin, and once that has ended a timer */
        Bytes input, output;
        bool raw;               /* and what it was before */
        struct termios before;
} Console;

#define CONSOLE_NONE ((Console){ .master = -EBADF, .source = -EBADF })

int console_begin(Console *c, const Caller *caller, int master, Error *reterr);
/* Takes the size of our terminal over to the pty: at the start and on SIGWINCH. */
void console_resize(const Console *c);
/* What is there from the source to the container, once all before it has been taken. */
bool console_input_waits(const Console *c);
void console_copy_in(Console *c);
void console_flush_in(Console *c);
/* The other way, to stdout. Once nobody holds the other end of the one or the other, there is no master any more: whoever is
 * still in the container sees the terminal hang up. */
bool console_output_waits(const Console *c);
void console_copy_out(Console *c);
void console_flush_out(Console *c);
void console_done(Console *c);
