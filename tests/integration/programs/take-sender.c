/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* take-sender SECRET: answers `start` in the place of the first process, which has a socket for notifications but does not
 * send it, and asks who has sent the message that comes then (SO_PASSPIDFD, Linux 6.5). What that process has open it takes,
 * and what those have who are at the other end of it. SECRET is the path of a file of the host. Prints "there" when it has
 * the gate, "got ..." for each way to that file, "heard " and the type of the message; and stays. */
#include <fcntl.h>
#include <stdint.h>

#include "gate.h"

#define DEPTH 3
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif
#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#define SCM_PIDFD 0x04
#endif

static const char *secret;

static void look_at_directory(int directory, int fd, int depth) {
        char path[4096] = "";
        int found;

        for (int i = 0; i < 24; i++)
                strcat(path, "../");
        strcat(path, secret + 1);
        found = openat(directory, path, O_RDONLY | O_CLOEXEC);
        if (found < 0)
                return;
        printf("got a way to the host, by descriptor %d of process %d\n", fd, depth);
        close(found);
}

/* Of a process in the container nothing leads out. */
static void take_all(int process, int depth) {
        for (int fd = 0; fd < DESCRIPTORS && depth <= DEPTH; fd++) {
                int taken = (int) syscall(SYS_pidfd_getfd, process, fd, 0), peer;
                socklen_t size = sizeof(peer);

                if (taken < 0)
                        continue;
                look_at_directory(taken, fd, depth);
                if (getsockopt(taken, SOL_SOCKET, SO_PEERPIDFD, &peer, &size) == 0) {
                        take_all(peer, depth + 1);
                        close(peer);
                }
                close(taken);
        }
}

/* -1: the end of the stream. */
static int hear(int connection) {
        union {
                char bytes[CMSG_SPACE(sizeof(int))];
                struct cmsghdr head;
        } control = {};
        int words[16], sender;
        struct iovec part = { words, sizeof(words) };
        struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
                                  .msg_controllen = sizeof(control) };

        if (recvmsg(connection, &message, 0) <= 0)
                return -1;
        if (control.head.cmsg_type == SCM_PIDFD) {
                memcpy(&sender, CMSG_DATA(&control.head), sizeof(sender));
                take_all(sender, 1);
        }
        return words[0];
}

/* INIT_MSG_NOTIFY and another one, of plan/init/protocol.h. */
static void answer(int connection, uint32_t type) {
        const uint32_t message[4] = { type };

        (void) send(connection, message, sizeof(message), MSG_NOSIGNAL);
}

int main(int argc, char **argv) {
        int gate = check(take_gate(), "gate"), one = 1, connection;

        (void) argc;
        secret = argv[1];
        stop_first_process();
        puts("there");
        fflush(stdout);
        connection = check(accept(gate, NULL, NULL), "accept");
        check(hear(connection), "start");
        (void) setsockopt(connection, SOL_SOCKET, SO_PASSPIDFD, &one, sizeof(one));
        answer(connection, 10);
        printf("heard %d\n", hear(connection));
        answer(connection, 11);
        fflush(stdout);
        for (;;)
                pause();
}
