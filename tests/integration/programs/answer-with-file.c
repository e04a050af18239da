/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* answer-with-file TYPE: as answer-start, but with a file of FUSE in the place of a socket: who closes a descriptor of that waits
 * for an answer that does not come. */
#define main main_of_unanswered
#include "unanswered.c"
#undef main
#define main main_of_answer_start
#define answer answer_start
#include "answer-start.c"
#undef main

static int file_of_fuse(void) {
        union {
                char bytes[CMSG_SPACE(sizeof(int))];
                struct cmsghdr align;
        } control;
        char byte;
        struct iovec part = { &byte, 1 };
        struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
        int ends[2], fd;

        check(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), "socketpair");
        if (check(fork(), "fork") == 0) { /* a user namespace of its own, which has no power over ours */
                flushes = false;
                mount_it();
                say(ends[1], "f", check(open("/mnt/file", O_RDWR), "/mnt/file"));
                for (;;)
                        pause();
        }
        check((int) recvmsg(ends[0], &message, 0), "recvmsg");
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
        return fd;
}

int main(int argc, char **argv) {
        int file = file_of_fuse(), gate = take_gate(), connection;
        char word[64];

        if (argc < 2 || gate < 0 || ptrace(PTRACE_SEIZE, 1, NULL, NULL) < 0 || ptrace(PTRACE_INTERRUPT, 1, NULL, NULL) < 0 ||
            waitpid(1, NULL, 0) < 0)
                return 1;
        puts("there");
        fflush(stdout);
        do
                connection = accept(gate, NULL, NULL);
        while (connection < 0 || recv(connection, word, sizeof(word), 0) <= 0);
        if (answer_start(connection, (uint32_t) atoi(argv[1]), file))
                return 1;
        puts("answered");
        fflush(stdout);
        for (;;)
                pause();
}
