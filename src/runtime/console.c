/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/console.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
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
        entry = open(path, O_PATH | O_CLOEXEC);
        if (entry < 0)
                return error_errnof(reterr, errno, "cannot connect to the socket %s", path);
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

void console_resize(const Console *c) {
        struct winsize size;

        if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
                (void) ioctl(c->master, TIOCSWINSZ, &size);
}

int console_begin(Console *c, int master, Error *reterr) {
        struct termios raw;

        *c = (Console){ .master = master };
        if (!isatty(STDIN_FILENO))
                return 0;
        console_resize(c);
        if (tcgetattr(STDIN_FILENO, &c->before) < 0)
                return error_errnof(reterr, errno, "cannot read the settings of the terminal");
        raw = c->before;
        cfmakeraw(&raw);
        if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0)
                return error_errnof(reterr, errno, "cannot set the terminal to raw mode");
        c->raw = true;
        return 0;
}

static ssize_t copy(int from, int to) {
        char buffer[8192];
        ssize_t n = read(from, buffer, sizeof(buffer));

        if (n > 0 && write_full(to, buffer, (size_t) n) < 0)
                return -1;
        return n;
}

void console_copy_in(Console *c) {
        if (copy(STDIN_FILENO, c->master) > 0)
                return;
        /* The end of our input reaches the container as it would in a terminal: as the EOF character. */
        (void) write_full(c->master, "\004", 1);
        c->input_ended = true;
}

bool console_copy_out(Console *c) {
        return copy(c->master, STDOUT_FILENO) > 0; /* EIO: the last of them was closed */
}

void console_done(Console *c) {
        if (c->raw)
                (void) tcsetattr(STDIN_FILENO, TCSANOW, &c->before);
        c->raw = false;
        c->master = close_fd(c->master);
}
