/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/macro.h"

void stream_begin(Stream *s, int fd, int outside) {
        struct stat st = {};

        (void) fstat(outside, &st);
        s->outside = outside;
        s->is_input = fd == 0;
        s->is_pipe = S_ISFIFO(st.st_mode);
        s->is_socket = S_ISSOCK(st.st_mode);
        s->left = SIZE_MAX;
        s->pipe = s->inside = -EBADF;
}

/* What is lent to the container by a pipe is one of the buffers that pipes are made of. With room for one alone a pipe is
 * empty when it has room. */
int stream_make_pipe(Stream *s) {
        int ends[2];

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        s->pipe = ends[s->is_input];
        s->inside = ends[!s->is_input];
        if (fcntl(s->pipe, F_SETFL, O_NONBLOCK) < 0 ||
            (s->is_input && s->is_pipe && fcntl(s->pipe, F_SETPIPE_SZ, (int) sysconf(_SC_PAGESIZE)) < 0))
                return -errno;
        return 0;
}

void stream_done(Stream *s) {
        s->pipe = close_fd(s->pipe);
        s->inside = close_fd(s->inside);
}

/* The container sees the end of its input, or that nobody reads what it writes. */
static void close_pipe(Stream *s) {
        s->pipe = close_fd(s->pipe);
        s->at = s->end = 0;
}

void stream_is_inside(Stream *s) {
        if (!s->is_input || (!s->is_pipe && lseek(s->outside, 0, SEEK_CUR) < 0))
                s->inside = close_fd(s->inside);
}

static size_t count_bytes(int pipe) {
        int n = 0;

        return ioctl(pipe, FIONREAD, &n) == 0 && n > 0 ? (size_t) n : 0;
}

static bool is_for_later(ssize_t n) {
        return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* --- between two pipes ------------------------------------------------------------------------------------------ */

/* What was lent and taken leaves the caller's pipe as well. read(2) would wait, where others were faster: the container itself
 * reads by the name of a FIFO. */
static void take_out(const Stream *s, size_t n_bytes) {
        _cleanup_close_ int null = n_bytes > 0 ? open("/dev/null", O_WRONLY | O_CLOEXEC) : -EBADF;

        while (n_bytes > 0) {
                ssize_t n = splice(s->outside, NULL, null, NULL, n_bytes, SPLICE_F_NONBLOCK);

                if (n <= 0)
                        return;
                n_bytes -= (size_t) n;
        }
}

static void lend(Stream *s) {
        ssize_t n = tee(s->outside, s->pipe, STREAM_SIZE, SPLICE_F_NONBLOCK);

        if (n > 0)
                s->lent = (size_t) n;
        s->is_full = n > 0 || is_for_later(n);
        if (!s->is_full)
                close_pipe(s);
}

/* There is room again: the container has taken what was lent, or has made its pipe larger, to its own loss. */
static void pass_in(Stream *s) {
        bool waited = s->is_full;

        take_out(s, s->lent);
        s->lent = 0;
        s->is_full = false;
        if (!waited || fd_is_ready(s->outside, POLLIN))
                lend(s);
}

/* Whole buffers are moved: what was written by one call stays together. Each time but one of both ends is looked at: the
 * container could keep us busy with the other. */
static void pass_out(Stream *s) {
        ssize_t n;

        if (s->is_full) {
                s->is_full = false;
                return;
        }
        n = splice(s->pipe, NULL, s->outside, NULL, MIN(STREAM_SIZE, s->left), SPLICE_F_NONBLOCK);
        if (is_for_later(n))
                s->is_full = true;
        else if (n <= 0)
                close_pipe(s);
        else if (s->left != SIZE_MAX)
                s->left -= (size_t) n;
}

/* --- with a copy ------------------------------------------------------------------------------------------------ */

static bool has_bytes(const Stream *s) {
        return s->at < s->end;
}

static void take(Stream *s) {
        size_t size = MIN(sizeof(s->bytes), s->left);
        ssize_t n = !s->is_input ? read(s->pipe, s->bytes, size) :
                    s->is_socket ? recv(s->outside, s->bytes, size, MSG_DONTWAIT) : read(s->outside, s->bytes, size);

        if (is_for_later(n))
                return;
        if (n <= 0) {
                close_pipe(s);
                return;
        }
        s->at = 0;
        s->end = (size_t) n;
        if (s->left != SIZE_MAX)
                s->left -= (size_t) n;
}

/* In the name of the container's process, as the journal looks who says something, and in which unit. */
static ssize_t send_as(pid_t pid, int socket, char *bytes, size_t size) {
        const struct ucred sender = { .pid = pid, .uid = getuid(), .gid = getgid() };
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(sizeof(sender))];
        } control = { .header = { .cmsg_len = CMSG_LEN(sizeof(sender)), .cmsg_level = SOL_SOCKET,
                                  .cmsg_type = SCM_CREDENTIALS } };
        struct iovec content = { bytes, size };
        struct msghdr message = { .msg_iov = &content, .msg_iovlen = 1, .msg_control = &control,
                                  .msg_controllen = sizeof(control) };
        ssize_t n;

        memcpy(CMSG_DATA(&control.header), &sender, sizeof(sender));
        n = sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EPERM) /* for root of the machine */
                n = send(socket, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        return n;
}

/* As much as a terminal is likely to take at once, when it says that it takes something. */
static ssize_t write_at_once(int fd, const char *bytes, size_t size) {
        errno = EAGAIN;
        return fd_is_ready(fd, POLLOUT) ? write(fd, bytes, isatty(fd) ? MIN(size, 256U) : size) : -1;
}

static void give(Stream *s, pid_t pid) {
        char *bytes = s->bytes + s->at;
        size_t size = s->end - s->at;
        ssize_t n = s->is_input ? write(s->pipe, bytes, size) :
                    s->is_socket ? send_as(pid, s->outside, bytes, size) : write_at_once(s->outside, bytes, size);

        if (n > 0) {
                s->at += (size_t) n;
                s->given += (uint64_t) n;
        } else if (!is_for_later(n))
                close_pipe(s);
}

static void pass_copies(Stream *s, pid_t pid) {
        if (!has_bytes(s))
                take(s);
        if (has_bytes(s))
                give(s, pid);
}

/* Where the container has stopped to read a file, who has that too goes on: as a shell does in a loop over its lines. It may
 * have filled the pipe by itself. */
static void give_back(const Stream *s) {
        uint64_t untaken = MIN(count_bytes(s->inside), s->given);

        (void) lseek(s->outside, -(off_t) (s->end - s->at) - (off_t) untaken, SEEK_CUR);
}

/* --- both ------------------------------------------------------------------------------------------------------- */

/* Whoever else has the pipe may have emptied it since its end. */
static void close_if_done(Stream *s) {
        if (s->left != SIZE_MAX && !has_bytes(s) && (s->left == 0 || count_bytes(s->pipe) == 0))
                close_pipe(s);
}

/* In the end nothing is waited for that would have to come: what is left is there, or has gone. */
struct pollfd stream_ask(const Stream *s) {
        bool gives = s->is_full || has_bytes(s) || s->left != SIZE_MAX;

        return (struct pollfd){ .events = gives ? POLLOUT : POLLIN,
                                .fd = s->pipe < 0 ? -EBADF : gives == s->is_input ? s->pipe : s->outside };
}

void stream_pass(Stream *s, pid_t pid) {
        if (s->is_pipe && s->is_input)
                pass_in(s);
        else if (s->is_pipe)
                pass_out(s);
        else
                pass_copies(s, pid);
        close_if_done(s);
}

static void end_input(Stream *s) {
        if (s->is_pipe)
                take_out(s, s->lent - MIN(s->lent, count_bytes(s->inside)));
        else if (s->inside >= 0)
                give_back(s);
        close_pipe(s);
}

void stream_end(Stream *s) {
        if (s->is_input)
                end_input(s);
        else if (s->pipe >= 0)
                s->left = count_bytes(s->pipe);
        close_if_done(s);
}
