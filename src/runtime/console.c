/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/console.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "basic/fd.h"
#include "steps/peer.h"

void console_resize(const Console *c) {
        terminal_take_size(c->in, c->master);
}

int console_begin(Console *c, const Caller *caller, int master, Error *reterr) {
        struct termios raw;

        *c = (Console){ .in = caller->stdio[0], .out = caller->stdio[1], .master = master, .source = caller->stdio[0] };
        if (fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
                return error_errnof(reterr, errno, "cannot set the terminal up");
        if (!isatty(c->in))
                return 0;
        console_resize(c);
        if (tcgetattr(c->in, &c->before) < 0)
                return error_errnof(reterr, errno, "cannot read the settings of the terminal");
        raw = c->before;
        cfmakeraw(&raw);
        if (tcsetattr(c->in, TCSANOW, &raw) < 0)
                return error_errnof(reterr, errno, "cannot set the terminal to raw mode");
        c->raw = true;
        return 0;
}

/* --- bytes on their way ----------------------------------------------------------------------------------------- */

static void set_bytes(Bytes *b, size_t n) {
        b->at = 0;
        b->end = n;
}

static bool has_bytes(const Bytes *b) {
        return b->at < b->end;
}

/* False: nobody is there to read them. */
static bool pass_on(Bytes *b, int fd) {
        ssize_t n = write(fd, b->bytes + b->at, b->end - b->at);

        if (n >= 0)
                b->at += (size_t) n;
        else if (errno != EAGAIN && errno != EINTR)
                b->at = b->end;
        return n >= 0 || has_bytes(b);
}

bool console_input_waits(const Console *c) {
        return has_bytes(&c->input);
}

bool console_output_waits(const Console *c) {
        return has_bytes(&c->output);
}

void console_flush_in(Console *c) {
        (void) pass_on(&c->input, c->master);
}

void console_flush_out(Console *c) {
        if (!pass_on(&c->output, c->out))
                c->master = close_fd(c->master);
}

/* The first bytes of the buffer. */
static void send_input(Console *c, size_t n) {
        set_bytes(&c->input, n);
        console_flush_in(c);
}

/* As it would in a terminal, by the EOF character. */
static void send_eof(Console *c) {
        c->input.bytes[0] = '\004';
        send_input(c, 1);
}

/* An input that has ended stays so, as a file does. One EOF would be read by one program; or by none: a shell that begins to
 * edit lines leaves canonical mode, and then reads a NUL in place of an EOF that came before. */
static void begin_end(Console *c) {
        const struct itimerspec again = { .it_value.tv_nsec = 50000000, .it_interval.tv_sec = 1 };

        send_eof(c);
        c->source = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
        if (c->source >= 0)
                (void) timerfd_settime(c->source, 0, &again, NULL);
}

void console_copy_in(Console *c) {
        ssize_t n = read(c->source, c->input.bytes, sizeof(c->input.bytes));

        if (n < 0 && (errno == EINTR || errno == EAGAIN))
                return;
        if (c->source == c->in && n > 0)
                send_input(c, (size_t) n);
        else if (c->source == c->in)
                begin_end(c);
        else
                send_eof(c);
}

void console_copy_out(Console *c) {
        ssize_t n = read(c->master, c->output.bytes, sizeof(c->output.bytes));

        if (n > 0)
                set_bytes(&c->output, (size_t) n);
        else if (n == 0 || (errno != EINTR && errno != EAGAIN)) /* EIO: the last of them was closed */
                c->master = close_fd(c->master);
}

void console_done(Console *c) {
        if (c->raw)
                (void) tcsetattr(c->in, TCSANOW, &c->before);
        c->raw = false;
        if (c->source != c->in)
                c->source = close_fd(c->source);
        c->master = close_fd(c->master);
}
