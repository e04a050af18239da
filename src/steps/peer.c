/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "steps/peer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "basic/str.h"

/* For an engine to take what we send it. */
#define PEER_TIMEOUT_SECONDS 10

int peer_connect(const char *path, Error *reterr) {
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

int peer_send(int socket, const char *name, int fd, Error *reterr) {
        int r = send_fd(socket, name, strlen(name), fd);

        return r < 0 ? error_errnof(reterr, r, "cannot send a descriptor over the socket") : 0;
}

void terminal_take_size(int terminal, int master) {
        struct winsize size;

        if (ioctl(terminal, TIOCGWINSZ, &size) == 0)
                (void) ioctl(master, TIOCSWINSZ, &size);
}

void terminal_prepare(const Caller *caller, int master) {
        struct termios settings;

        terminal_take_size(caller->stdio[0], master);
        if (isatty(caller->stdio[1]) || tcgetattr(master, &settings) < 0)
                return;
        settings.c_oflag &= ~(tcflag_t) ONLCR;
        (void) tcsetattr(master, TCSANOW, &settings);
}
