/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* answer-start MESSAGE...: answers `start` in the place of the first process, which waits for that at its gate. Prints "there"
 * when it has the gate, "answered" when it has sent all, and stays.
 *
 * TYPE[:KINDS] is a message with a text and with descriptors: s, a socket in which READY=1 waits; f, a file of FUSE, whose
 * server does not answer when one is closed; q, a socket in whose queue is the last descriptor of such a file. "..." waits
 * until what was sent before has been received, and leaves it at that; without it the connection is closed in the end. */
#define main main_of_unanswered
#include "unanswered.c"
#undef main

#include <linux/sockios.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include "gate.h"

#define KINDS_MAX 8

static int ready_socket(void) {
        int ends[2];

        check(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), "socketpair");
        say(ends[0], "READY=1", -1);
        return ends[1];
}

/* Of a process in a user namespace of its own, which has no power over ours, and stays. */
static int descriptor_of_fuse(char kind) {
        union {
                char bytes[CMSG_SPACE(sizeof(int))];
                struct cmsghdr align;
        } control;
        char byte;
        struct iovec part = { &byte, 1 };
        struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
        int ends[2], fd;

        check(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), "socketpair");
        if (check(fork(), "fork") == 0) {
                flushes = kind == 'q';
                mount_it();
                fd = flushes ? socket_with_file() : check(open("/mnt/file", O_RDWR), "/mnt/file");
                say(ends[1], "f", fd);
                if (flushes)
                        close(fd);
                for (;;)
                        pause();
        }
        check((int) recvmsg(ends[0], &message, 0), "recvmsg");
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
        return fd;
}

typedef struct Message {
        struct {
                uint32_t type;
                int32_t value;
                char text[sizeof("not today")];
        } content;
        const char *kinds;
        int fds[KINDS_MAX];
        size_t n;
} Message;

static Message prepare(const char *word) {
        Message m = { .content = { .type = (uint32_t) atoi(word), .value = EPERM, .text = "not today" } };

        m.kinds = strchr(word, ':') ? strchr(word, ':') + 1 : "";
        for (; m.kinds[m.n] && m.n < KINDS_MAX; m.n++)
                m.fds[m.n] = m.kinds[m.n] == 's' ? ready_socket() : descriptor_of_fuse(m.kinds[m.n]);
        return m;
}

static void answer_with(int connection, const Message *m) {
        union {
                char bytes[CMSG_SPACE(KINDS_MAX * sizeof(int))];
                struct cmsghdr head;
        } control = { .head = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(m->n * sizeof(int)) } };
        struct iovec part = { (void *) &m->content, sizeof(m->content) };
        struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = m->n > 0 ? &control : NULL,
                                  .msg_controllen = m->n > 0 ? CMSG_SPACE(m->n * sizeof(int)) : 0 };

        memcpy(CMSG_DATA(&control.head), m->fds, m->n * sizeof(int));
        if (sendmsg(connection, &message, MSG_NOSIGNAL) < 0 && errno != EPIPE)
                check(-1, "sendmsg");
}

/* What was sent is not ours any more; but to close a file of FUSE would keep us. */
static void close_sent(const Message *m) {
        for (size_t i = 0; i < m->n; i++)
                if (m->kinds[i] != 'f')
                        close(m->fds[i]);
}

static void wait_until_taken(int connection) {
        int left;

        do
                check(ioctl(connection, SIOCOUTQ, &left), "SIOCOUTQ");
        while (left > 0);
}

int main(int argc, char **argv) {
        Message messages[argc];
        int gate = check(take_gate(), "gate"), connection;
        bool leaves = strcmp(argv[argc - 1], "...") == 0;
        char word[64];

        for (int i = 1; i < argc - leaves; i++)
                messages[i] = prepare(argv[i]);
        stop_first_process();
        puts("there");
        fflush(stdout);
        do
                connection = accept(gate, NULL, NULL);
        while (connection < 0 || recv(connection, word, sizeof(word), 0) <= 0);
        for (int i = 1; i < argc - leaves; i++)
                answer_with(connection, &messages[i]);
        if (leaves)
                wait_until_taken(connection);
        else
                close(connection);
        puts("answered");
        fflush(stdout);
        /* Now, as who heard the first ones may be gone, and then it is we that the last descriptor keeps. */
        for (int i = 1; i < argc - leaves; i++)
                close_sent(&messages[i]);
        for (;;)
                pause();
}
