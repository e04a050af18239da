/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* linger: says READY=1 and STATUS=said to NOTIFY_SOCKET. Before and after it sends descriptors of connections
 * with bytes that the other end does not take, which is in the same queue: who closes the last one waits for
 * months. Once this has ended there are no others. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "say.h"

typedef struct Connection {
        int lingering, other;
} Connection;

static Connection connection(void) {
        const struct linger months = { .l_onoff = 1, .l_linger = 10000000 };
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t size = sizeof(address);
        static const char bytes[65536];
        int listener = check(socket(AF_INET, SOCK_STREAM, 0), "socket");
        Connection c = { .lingering = check(socket(AF_INET, SOCK_STREAM, 0), "socket") };

        check(bind(listener, (struct sockaddr *) &address, size), "bind");
        check(listen(listener, 1), "listen");
        check(getsockname(listener, (struct sockaddr *) &address, &size), "getsockname");
        check(connect(c.lingering, (struct sockaddr *) &address, size), "connect");
        c.other = check(accept(listener, NULL, NULL), "accept");
        check(setsockopt(c.lingering, SOL_SOCKET, SO_LINGER, &months, sizeof(months)), "SO_LINGER");
        while (send(c.lingering, bytes, sizeof(bytes), MSG_DONTWAIT) >= 0)
                ;
        return c;
}

int main(void) {
        Connection first = connection(), second = connection(), third = connection();
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int notify = check(socket(AF_UNIX, SOCK_DGRAM, 0), "socket");

        strncpy(address.sun_path, getenv("NOTIFY_SOCKET"), sizeof(address.sun_path) - 1);
        check(connect(notify, (struct sockaddr *) &address, sizeof(address)), "connect");
        say(notify, "FIRST", first.lingering);
        say(notify, "FIRST", first.other);
        say(notify, "READY=1", -1);
        say(notify, "STATUS=said", -1);
        /* Whichever end is closed first, when these are no longer read. */
        say(notify, "SECOND", second.lingering);
        say(notify, "SECOND", second.other);
        say(notify, "THIRD", third.other);
        say(notify, "THIRD", third.lingering);
        return 0;
}
