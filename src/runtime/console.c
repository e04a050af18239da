/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/console.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "basic/str.h"

/* For an engine to take what we send it. */
#define PEER_TIMEOUT_SECONDS 10

int console_connect(const char *path, Error *reterr) {
        const struct timeval timeout = { .tv_sec = PEER_TIMEOUT_SECONDS };
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_close_ int entry = -EBADF, fd = -EBADF;

        /* An address holds 107 bytes, the paths of engines are longer: by descriptor. */
        entry = open_named(path, O_PATH, 0, reterr);
        if (entry < 0)
                return error_prefixf(reterr, "cannot connect to the socket %s", path);
        snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d", entry);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd >= 0) /* a peer that does not accept, or does not read, shall not hold us for ever */
                (void) setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
        if (fd < 0 || connect(fd, (struct sockaddr *) &address, sizeof(address)) < 0)
                return error_errnof(reterr, errno, "cannot connect to the socket %s", path);
        return TAKE_FD(fd);
}

int console_send(int socket, const char *name, int fd, Error *reterr) {
        int r = send_fd(socket, name, strlen(name), fd);

        return r < 0 ? error_errnof(reterr, r, "cannot send a descriptor over the socket") : 0;
}

static void take_size(int terminal, int master) {
        struct winsize size;

        if (ioctl(terminal, TIOCGWINSZ, &size) == 0)
                (void) ioctl(master, TIOCSWINSZ, &size);
}

void console_resize(const Console *c) {
        take_size(c->in, c->master);
}

void console_prepare(const Caller *caller, int master) {
        struct termios settings;

        take_size(caller->stdio[0], master);
        if (isatty(caller->stdio[1]) || tcgetattr(master, &settings) < 0)
                return;
        settings.c_oflag &= ~(tcflag_t) ONLCR;
        (void) tcsetattr(master, TCSANOW, &settings);
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
