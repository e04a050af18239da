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
        s->pipe = s->inside = s->scratch[0] = s->scratch[1] = -EBADF;
}

static int make_pipe(int ends[static 2], bool small) {
        if (pipe2(ends, O_CLOEXEC) < 0 || (small && fcntl(ends[0], F_SETPIPE_SZ, (int) sysconf(_SC_PAGESIZE)) < 0))
                return -errno;
        return 0;
}

/* What is lent to the container by a pipe is one of the buffers that pipes are made of. With room for one alone a pipe is
 * empty when it has room. */
int stream_make_pipe(Stream *s) {
        bool lends = s->is_input && s->is_pipe;
        int ends[2] = { -EBADF, -EBADF }, r = make_pipe(ends, lends);

        s->pipe = ends[s->is_input];
        s->inside = ends[!s->is_input];
        if (r == 0 && s->is_pipe)
                r = make_pipe(s->scratch, true);
        if (r == 0 && fcntl(s->pipe, F_SETFL, O_NONBLOCK) < 0)
                r = -errno;
        return r;
}

void stream_done(Stream *s) {
        s->pipe = close_fd(s->pipe);
        s->inside = close_fd(s->inside);
        s->scratch[0] = close_fd(s->scratch[0]);
        s->scratch[1] = close_fd(s->scratch[1]);
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

static bool has_bytes(const Stream *s) {
        return s->at < s->end;
}

/* --- from the caller's pipe ------------------------------------------------------------------------------------- */

/* What comes of the caller's pipe into ours, to be looked at. Nothing is waited for: others may have been faster. */
static size_t look(const Stream *s, ssize_t n, char *ret) {
        return n > 0 && read(s->scratch[0], ret, (size_t) n) == n ? (size_t) n : 0;
}

/* What was lent and taken leaves the caller's pipe as well. If another reader has taken it by then, too, what comes out is
 * something else: that is for the container. */
static void take_out(Stream *s, size_t n_bytes) {
        for (size_t done = 0, n; done < n_bytes; done += n) {
                n = look(s, splice(s->outside, NULL, s->scratch[1], NULL, n_bytes - done, SPLICE_F_NONBLOCK), s->bytes);
                if (n == 0)
                        return;
                if (memcmp(s->bytes, s->copy + done, n) != 0) {
                        s->at = 0;
                        s->end = n;
                        return;
                }
        }
}

/* Up to what the container's pipe has room for, if it has not put something there itself. */
static void lend(Stream *s) {
        ssize_t n = tee(s->outside, s->scratch[1], STREAM_SIZE, SPLICE_F_NONBLOCK);

        if (n > 0) {
                size_t size = look(s, n, s->copy);

                n = write(s->pipe, s->copy, MIN(size, (size_t) PIPE_BUF));
        }
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
        if (!has_bytes(s) && (!waited || fd_is_ready(s->outside, POLLIN)))
                lend(s);
}

/* --- with a copy ------------------------------------------------------------------------------------------------ */

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

/* No more than what stays together, whoever else writes: whole lines, if there are any. */
static size_t cut(const char *bytes, size_t size) {
        const char *end = size > PIPE_BUF ? memrchr(bytes, '\n', PIPE_BUF) : NULL;

        return end ? (size_t) (end - bytes) + 1 : MIN(size, (size_t) PIPE_BUF);
}

/* By a pipe of ours, out of which bytes go to the caller's without waiting. Not out of the container's: for that the kernel
 * takes the locks of both, and while a process of the container keeps that of its own (HACKING, "Locks that it keeps"), who
 * shares the caller's would wait. */
static ssize_t write_to_pipe(const Stream *s, const char *bytes, size_t size) {
        char again[PIPE_BUF];
        ssize_t n = write(s->scratch[1], bytes, cut(bytes, size)), done = n;

        if (n > 0)
                done = splice(s->scratch[0], NULL, s->outside, NULL, (size_t) n, SPLICE_F_NONBLOCK);
        if (n > 0 && done < 0)
                (void) !read(s->scratch[0], again, (size_t) n);
        return done;
}

static ssize_t write_out(const Stream *s, pid_t pid, char *bytes, size_t size) {
        if (s->is_pipe)
                return write_to_pipe(s, bytes, size);
        return s->is_socket ? send_as(pid, s->outside, bytes, size) : write_at_once(s->outside, bytes, size);
}

static void give(Stream *s, pid_t pid) {
        char *bytes = s->bytes + s->at;
        size_t size = s->end - s->at;
        ssize_t n = s->is_input ? write(s->pipe, bytes, size) : write_out(s, pid, bytes, size);

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
        if (s->is_pipe && s->is_input && !has_bytes(s))
                pass_in(s);
        else
                pass_copies(s, pid);
        close_if_done(s);
}

/* Nobody could be given what is not what was lent. */
static void settle(Stream *s) {
        size_t taken = s->lent - MIN(s->lent, count_bytes(s->inside));
        size_t n = taken > 0 ? look(s, tee(s->outside, s->scratch[1], taken, SPLICE_F_NONBLOCK), s->bytes) : 0;

        if (n > 0 && memcmp(s->bytes, s->copy, n) == 0)
                take_out(s, taken);
}

static void end_input(Stream *s) {
        if (s->is_pipe)
                settle(s);
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
