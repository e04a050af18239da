/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages with descriptors, as hostile programs send them. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static inline int check(int r, const char *what) {
        if (r < 0) {
                perror(what);
                exit(1);
        }
        return r;
}

/* fd: or -1. */
static inline void say(int socket, const char *text, int fd) {
        union {
                struct cmsghdr head;
                char bytes[CMSG_SPACE(sizeof(int))];
        } control = { .head = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(fd)) } };
        struct iovec iov = { .iov_base = (char *) text, .iov_len = strlen(text) };
        struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

        memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
        if (fd >= 0) {
                message.msg_control = &control;
                message.msg_controllen = sizeof(control);
        }
        check((int) sendmsg(socket, &message, 0), text);
}
