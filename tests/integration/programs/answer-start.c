/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* answer-start TYPE: answers `start` in the place of the first process, which waits for that at its gate, by a message of this
 * type with a socket in which READY=1 waits. Prints "there" when it has the gate. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define DESCRIPTORS 64

/* The socket that listens. */
static int take_gate(void) {
        int process = (int) syscall(SYS_pidfd_open, 1, 0);

        for (int fd = 0; process >= 0 && fd < DESCRIPTORS; fd++) {
                int taken = (int) syscall(SYS_pidfd_getfd, process, fd, 0), listens = 0;
                socklen_t size = sizeof(listens);

                if (taken >= 0 && getsockopt(taken, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens)
                        return taken;
                close(taken);
        }
        return -1;
}

static int answer(int connection, uint32_t type, int fd) {
        uint32_t message[2] = { type, 0 };
        struct iovec part = { .iov_base = message, .iov_len = sizeof(message) };
        union {
                char bytes[CMSG_SPACE(sizeof(int))];
                struct cmsghdr align;
        } control = { 0 };
        struct msghdr whole = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
        struct cmsghdr *c = CMSG_FIRSTHDR(&whole);

        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &fd, sizeof(fd));
        return sendmsg(connection, &whole, 0) < 0 ? 1 : 0;
}

int main(int argc, char **argv) {
        int gate = take_gate(), connection, ends[2];
        char word[64];

        if (argc < 2 || gate < 0 || ptrace(PTRACE_SEIZE, 1, NULL, NULL) < 0 || ptrace(PTRACE_INTERRUPT, 1, NULL, NULL) < 0 ||
            waitpid(1, NULL, 0) < 0 || socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) < 0 || write(ends[0], "READY=1", 7) != 7)
                return 1;
        puts("there");
        fflush(stdout);
        do
                connection = accept(gate, NULL, NULL);
        while (connection < 0 || recv(connection, word, sizeof(word), 0) <= 0);
        return answer(connection, (uint32_t) atoi(argv[1]), ends[1]);
}
