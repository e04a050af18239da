/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/journal.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "basic/str.h"

int journal_open(void) {
        static const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket" };
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        if (fd < 0 || connect(fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
                return -errno;
        return TAKE_FD(fd);
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
