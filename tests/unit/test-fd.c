/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "basic/fd.h"
#include "test.h"

static void send_two(int socket, int fd) {
        union { char bytes[CMSG_SPACE(2 * sizeof(int))]; struct cmsghdr align; } control = {};
        struct iovec iov = { .iov_base = (void *) "x", .iov_len = 1 };
        struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes,
                              .msg_controllen = sizeof(control.bytes) };
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        int fds[] = { fd, fd };

        *c = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(fds)) };
        memcpy(CMSG_DATA(c), fds, sizeof(fds));
        ASSERT_EQ(sendmsg(socket, &msg, 0), 1);
}

/* The number that the next descriptor gets: greater when one was leaked. */
static int next_number(void) {
        int fd = dup(0);

        ASSERT(fd >= 0);
        close_fd(fd);
        return fd;
}

static void test_two_descriptors(bool wanted) {
        int pair[2], fd = -EBADF, before;
        char byte;

        ASSERT(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
        before = next_number();
        send_two(pair[0], pair[0]);
        ASSERT_EQ(receive_fd(pair[1], &byte, 1, wanted ? &fd : NULL), 1);
        ASSERT_EQ(fd >= 0, wanted);
        close_fd(fd);
        ASSERT_EQ(next_number(), before);
        close_fd(pair[0]);
        close_fd(pair[1]);
}

static void test_all_descriptors(void) {
        int pair[2], before;
        char byte;

        ASSERT(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
        before = next_number();
        send_two(pair[0], pair[0]);
        ASSERT_EQ(receive_with_fds(pair[1], &byte, 1, 0), 1);
        ASSERT_EQ(next_number(), before + 2);
        ASSERT_EQ(receive_with_fds(pair[1], &byte, 1, MSG_DONTWAIT), -EAGAIN);
        close_fd(before);
        close_fd(before + 1);
        close_fd(pair[0]);
        close_fd(pair[1]);
}

static void test_packets(void) {
        char bytes[16];
        int ends[2];

        ASSERT(pipe2(ends, O_CLOEXEC | O_DIRECT) == 0);
        ASSERT_EQ(write_full(ends[1], "one", 3), 0);
        ASSERT_EQ(write_full(ends[1], "three", 5), 0);
        ASSERT_EQ(read_packet(ends[0], bytes, sizeof(bytes)), 3);
        ASSERT_EQ(read_packet(ends[0], bytes, sizeof(bytes)), 5);
        close_fd(ends[1]);
        ASSERT_EQ(read_packet(ends[0], bytes, sizeof(bytes)), 0);
        close_fd(ends[0]);
}

static void test_deadlines(void) {
        uint64_t now = now_usec();

        ASSERT(deadline_in(1000000) >= now + 1000000 && deadline_in(1000000) < now + 60000000);
        ASSERT(deadline_in(UINT64_MAX) == UINT64_MAX && deadline_in(UINT64_MAX - 1) == UINT64_MAX);
}

int main(void) {
        TEST("deadlines");
        test_deadlines();
        TEST("more descriptors than were asked for");
        test_two_descriptors(true);
        test_two_descriptors(false);
        TEST("each descriptor that comes");
        test_all_descriptors();
        TEST("packets of a pipe");
        test_packets();
        return 0;
}
