/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/fd.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x4000U
#endif

void closep(const int *fd) {
        close_fd(*fd);
}

int close_fd(int fd) {
        int saved = errno;

        if (fd >= 0)
                (void) close(fd);
        errno = saved;
        return -EBADF;
}

ssize_t read_full(int fd, void *buffer, size_t size) {
        size_t n = 0;

        while (n < size) {
                ssize_t r = read(fd, (char *) buffer + n, size - n);

                if (r < 0 && errno == EINTR)
                        continue;
                if (r < 0)
                        return -errno;
                if (r == 0)
                        break;
                n += (size_t) r;
        }
        return (ssize_t) n;
}

int write_full(int fd, const void *buffer, size_t size) {
        size_t n = 0;

        while (n < size) {
                ssize_t r = write(fd, (const char *) buffer + n, size - n);

                if (r < 0 && errno == EINTR)
                        continue;
                if (r < 0)
                        return -errno;
                n += (size_t) r;
        }
        return 0;
}

ssize_t read_packet(int pipe, void *buffer, size_t size) {
        ssize_t r;

        do
                r = read(pipe, buffer, size);
        while (r < 0 && errno == EINTR);
        return r < 0 ? -errno : r;
}

union FdControl {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
};

int send_fd(int socket, const void *bytes, size_t size, int fd) {
        struct iovec iov = { .iov_base = (void *) bytes, .iov_len = size };
        struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
        union FdControl control = {};
        ssize_t r;

        if (fd >= 0) {
                struct cmsghdr *c;

                msg.msg_control = control.bytes;
                msg.msg_controllen = sizeof(control.bytes);
                c = CMSG_FIRSTHDR(&msg);
                *c = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
                                       .cmsg_len = CMSG_LEN(sizeof(int)) };
                memcpy(CMSG_DATA(c), &fd, sizeof(int));
        }
        do
                r = sendmsg(socket, &msg, MSG_NOSIGNAL);
        while (r < 0 && errno == EINTR);
        return r < 0 ? -errno : 0;
}

ssize_t receive_fd(int socket, void *bytes, size_t size, int *ret_fd) {
        struct iovec iov = { .iov_base = bytes, .iov_len = size };
        union FdControl control = {};
        struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
                              .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes) };
        int fd = -EBADF;
        ssize_t r;

        do
                r = recvmsg(socket, &msg, MSG_CMSG_CLOEXEC);
        while (r < 0 && errno == EINTR);
        if (r < 0)
                return -errno;
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
                for (size_t n = 0; c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
                                   CMSG_LEN((n + 1) * sizeof(int)) <= c->cmsg_len; n++) {
                        close_fd(fd); /* the space is padded: there is room for one that was not asked for */
                        memcpy(&fd, CMSG_DATA(c) + n * sizeof(int), sizeof(int));
                }
        if (ret_fd)
                *ret_fd = fd;
        else
                close_fd(fd);
        return r;
}

#define FDS_MAX 253 /* of a message (SCM_MAX_FD) */

ssize_t receive_with_fds(int socket, void *bytes, size_t size, int flags) {
        char control[CMSG_SPACE(FDS_MAX * sizeof(int))];
        struct iovec iov = { .iov_base = bytes, .iov_len = size };
        struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
        ssize_t r = recvmsg(socket, &msg, flags | MSG_CMSG_CLOEXEC);

        return r < 0 ? -errno : r;
}

bool fd_is_pipe(int fd) {
        struct statfs f;

        return fstatfs(fd, &f) == 0 && f.f_type == PIPEFS_MAGIC;
}

bool fd_is_null(int fd) {
        struct stat st;

        return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

int mount_id(int fd, uint64_t *ret) {
        static const unsigned wanted[] = { STATX_MNT_ID_UNIQUE, STATX_MNT_ID };
        struct statx st;

        for (size_t i = 0; i < ELEMENTSOF(wanted); i++) {
                if (statx(fd, "", AT_EMPTY_PATH, wanted[i], &st) < 0)
                        return -errno;
                if (st.stx_mask & wanted[i]) {
                        *ret = st.stx_mnt_id;
                        return 0;
                }
        }
        return -EOPNOTSUPP;
}

bool fd_is_ready(int fd, short events) {
        struct pollfd p = { .fd = fd, .events = events };

        return poll(&p, 1, 0) > 0;
}

bool pidfd_has_exited(int pidfd) {
        return fd_is_ready(pidfd, POLLIN);
}

uint64_t now_usec(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

uint64_t deadline_in(uint64_t usec) {
        uint64_t now = now_usec();

        return usec > UINT64_MAX - now ? UINT64_MAX : now + usec;
}

int poll_timeout(uint64_t deadline) {
        uint64_t now = now_usec(), ms;

        if (deadline == UINT64_MAX)
                return -1;
        if (deadline <= now)
                return 0;
        ms = (deadline - now + 999) / 1000;
        return ms > INT_MAX ? INT_MAX : (int) ms;
}
