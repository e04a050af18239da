/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/journal.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "basic/loop.h"
#include "basic/str.h"

#define STREAMS "/run/systemd/journal/stdout"

static int connect_to(const char *path, int type) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

        strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
        if (fd < 0 || connect(fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
                return -errno;
        return TAKE_FD(fd);
}

int journal_open(void) {
        return connect_to("/run/systemd/journal/socket", SOCK_DGRAM);
}

int journal_open_stream(const char *identifier, const char *unit, int priority) {
        /* No "<6>" in front of lines counts, and none goes elsewhere as well: to syslog, the kernel's log or the console. */
        _cleanup_free_ char *header = xasprintf("%s\n%s\n%d\n0\n0\n0\n0\n", identifier, unit, priority);
        _cleanup_close_ int fd = connect_to(STREAMS, SOCK_STREAM);
        int r = fd < 0 ? fd : shutdown(fd, SHUT_RD) < 0 ? -errno : write_full(fd, header, strlen(header));

        return r < 0 ? r : TAKE_FD(fd);
}

bool journal_is_stream(int fd) {
        struct sockaddr_un address = {};
        socklen_t n = sizeof(address);

        return getpeername(fd, (struct sockaddr *) &address, &n) == 0 && address.sun_family == AF_UNIX &&
               strncmp(address.sun_path, STREAMS, sizeof(address.sun_path)) == 0;
}

/* With the NUL that ends it. */
static int read_reply(int fd, uint64_t deadline) {
        char bytes[256];

        for (;;) {
                int r = loop_wait_fd(fd, POLLIN, deadline);
                ssize_t n;

                if (r <= 0)
                        return r < 0 ? r : -ETIMEDOUT;
                n = read(fd, bytes, sizeof(bytes));
                if (n <= 0)
                        return n < 0 ? -errno : -ECONNRESET;
                if (bytes[n - 1] == '\0')
                        return 0;
        }
}

int journal_synchronize(uint64_t deadline) {
        static const char call[] = "{\"method\":\"io.systemd.Journal.Synchronize\"}"; /* https://varlink.org/Method-Call */
        _cleanup_close_ int fd = connect_to("/run/systemd/journal/io.systemd.journal", SOCK_STREAM);
        int r = fd < 0 ? fd : write_full(fd, call, sizeof(call));

        return r < 0 ? r : read_reply(fd, deadline);
}

/* A field of the native protocol: NAME=value and a newline, which must not be in the value. */
static void add_field(Text *t, const char *name, const char *value) {
        text_addf(t, "%s=", name);
        text_add_printable(t, value);
        text_add(t, "\n");
}

void journal_send(int fd, int priority, const char *identifier, const char *container, const char *message) {
        _cleanup_text_ Text t = {};

        text_addf(&t, "PRIORITY=%d\n", priority);
        add_field(&t, "SYSLOG_IDENTIFIER", identifier);
        if (container)
                add_field(&t, "CONTAINER_ID", container);
        add_field(&t, "MESSAGE", message);
        (void) send(fd, t.s, t.n, MSG_NOSIGNAL);
}

void syslog_open(const char *identifier) {
        openlog(identifier, LOG_PID, LOG_USER);
}

void syslog_send(int priority, const char *message) {
        syslog(priority, "%s", message);
}
