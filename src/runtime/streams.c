/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/streams.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/fd.h"

#define BUFFER_SIZE 65536U /* what is in a pipe */

typedef struct Stream {
        bool is_input;          /* descriptor 0 */
        int outside;            /* the caller's */
        bool is_socket;
        int pipe;               /* our end; -EBADF: nothing comes or goes any more */
        size_t most;            /* that is written outside at once */
        size_t left;            /* how much is to be read yet; SIZE_MAX: all */
        size_t at, end;         /* of the bytes, those that were read and not written yet */
        uint64_t given;         /* how many were written */
        char bytes[BUFFER_SIZE];
} Stream;

struct Streams {
        Stream streams[STREAMS];
        int inside[STREAMS];
        int untaken;            /* the container's end of an input that can be given back; or -EBADF */
        pid_t pid;
        bool ending;
};

static bool is_socket(int fd) {
        struct stat st;

        return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* Not asked for the handle itself, by which it could be found from then on, but how long that is. */
static bool has_handle(int fd) {
        struct file_handle handle = {};
        int mount;

        return name_to_handle_at(fd, "", &handle, &mount, AT_EMPTY_PATH) == 0 || (errno != EOPNOTSUPP && errno != EBADF);
}

static bool is_file(int fd) {
        return !is_socket(fd) && !fd_is_null(fd) && !isatty(fd) && has_handle(fd);
}

static uint8_t those_that(const Caller *caller, bool (*are)(int fd)) {
        uint8_t found = 0;

        for (int fd = 0; fd < STREAMS; fd++)
                found |= (uint8_t) (are(caller->stdio[fd]) ? 1U << fd : 0U);
        return found;
}

uint8_t streams_sockets(const Caller *caller) {
        return those_that(caller, is_socket);
}

uint8_t streams_files(const Caller *caller) {
        return those_that(caller, is_file);
}

Streams *streams_free(Streams *s) {
        for (int fd = 0; s && fd < STREAMS; fd++) {
                close_fd(s->streams[fd].pipe);
                close_fd(s->inside[fd]);
        }
        if (s)
                close_fd(s->untaken);
        free(s);
        return NULL;
}

/* One pipe for both keeps the order of what is written to the one and to the other. */
static bool is_output_twice(const Streams *s) {
        struct stat out, err;

        return fstat(s->streams[1].outside, &out) == 0 && fstat(s->streams[2].outside, &err) == 0 &&
               out.st_dev == err.st_dev && out.st_ino == err.st_ino;
}

static int make_pipe(Streams *s, int fd) {
        bool input = fd == 0;
        int ends[2];

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        s->streams[fd].pipe = ends[input];
        s->inside[fd] = ends[!input];
        return fcntl(s->streams[fd].pipe, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

static int make_pipes(Streams *s, uint8_t piped) {
        for (int fd = 0; fd < STREAMS; fd++) {
                int r = 0;

                if (!(piped & 1U << fd))
                        continue;
                if (fd == 2 && s->inside[1] >= 0 && is_output_twice(s))
                        r = s->inside[2] = fcntl(s->inside[1], F_DUPFD_CLOEXEC, STREAMS);
                else
                        r = make_pipe(s, fd);
                if (r < 0)
                        return -errno;
        }
        return 0;
}

/* A FIFO for which poll() says so takes this without waiting for who reads it. */
static size_t most_at_once(int fd) {
        struct stat st;

        return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) ? PIPE_BUF : BUFFER_SIZE;
}

static void stream_begin(Stream *s, int fd, int outside) {
        s->is_input = fd == 0;
        s->outside = outside;
        s->is_socket = is_socket(outside);
        s->most = most_at_once(outside);
        s->left = SIZE_MAX;
        s->pipe = -EBADF;
}

int streams_new(const Caller *caller, uint8_t piped, Streams **ret, Error *reterr) {
        Streams *s;
        int r;

        if (piped == 0)
                return 0;
        s = xmalloc0(sizeof(*s));
        for (int fd = 0; fd < STREAMS; fd++) {
                stream_begin(&s->streams[fd], fd, caller->stdio[fd]);
                s->inside[fd] = -EBADF;
        }
        s->untaken = -EBADF;
        r = make_pipes(s, piped);
        if (r < 0) {
                streams_free(s);
                return error_errnof(reterr, r, "cannot make pipes for the container's standard descriptors");
        }
        *ret = s;
        return 0;
}

int streams_inside(const Streams *s, const Caller *caller, int fd) {
        return s && s->inside[fd] >= 0 ? s->inside[fd] : caller->stdio[fd];
}

void streams_begin(Streams *s, pid_t pid) {
        s->pid = pid;
        if (s->inside[0] >= 0 && lseek(s->streams[0].outside, 0, SEEK_CUR) >= 0)
                s->untaken = TAKE_FD(s->inside[0]);
        for (int fd = 0; fd < STREAMS; fd++)
                s->inside[fd] = close_fd(s->inside[fd]);
}

/* --- one of them ------------------------------------------------------------------------------------------------ */

static bool has_bytes(const Stream *s) {
        return s->at < s->end;
}

/* The container sees the end of its input, or that nobody reads what it writes. */
static void close_stream(Stream *s) {
        s->pipe = close_fd(s->pipe);
        s->at = s->end = 0;
}

static bool is_for_later(ssize_t n) {
        return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static void take(Stream *s) {
        size_t size = MIN(sizeof(s->bytes), s->left);
        ssize_t n = !s->is_input ? read(s->pipe, s->bytes, size) :
                    s->is_socket ? recv(s->outside, s->bytes, size, MSG_DONTWAIT) : read(s->outside, s->bytes, size);

        if (is_for_later(n))
                return;
        if (n <= 0) {
                close_stream(s);
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

/* As much as a FIFO has room for. */
static ssize_t write_at_once(int fd, const char *bytes, size_t size) {
        errno = EAGAIN;
        return fd_is_ready(fd, POLLOUT) ? write(fd, bytes, size) : -1;
}

static void give(Stream *s, pid_t pid) {
        char *bytes = s->bytes + s->at;
        size_t size = s->end - s->at;
        ssize_t n = s->is_input ? write(s->pipe, bytes, size) :
                    s->is_socket ? send_as(pid, s->outside, bytes, size) :
                    write_at_once(s->outside, bytes, MIN(size, s->most));

        if (n > 0) {
                s->at += (size_t) n;
                s->given += (uint64_t) n;
        } else if (!is_for_later(n))
                close_stream(s);
}

static void close_if_done(Stream *s) {
        if (s->left == 0 && !has_bytes(s))
                close_stream(s);
}

/* --- all -------------------------------------------------------------------------------------------------------- */

void streams_ask(const Streams *s, struct pollfd ret[STREAMS]) {
        for (int i = 0; i < STREAMS; i++) {
                const Stream *stream = &s->streams[i];
                bool gives = has_bytes(stream);

                ret[i].events = gives ? POLLOUT : POLLIN;
                ret[i].fd = stream->pipe < 0 ? -EBADF : gives == stream->is_input ? stream->pipe : stream->outside;
        }
}

void streams_copy(Streams *s, const struct pollfd fds[STREAMS]) {
        for (int i = 0; i < STREAMS; i++) {
                Stream *stream = &s->streams[i];

                if (!fds[i].revents)
                        continue;
                if (!has_bytes(stream))
                        take(stream);
                if (has_bytes(stream))
                        give(stream, s->pid);
                close_if_done(stream);
        }
}

/* Where it has stopped to read, who has the file, too, goes on: as a shell does in a loop over its lines. */
static void give_back(const Streams *s) {
        const Stream *input = &s->streams[0];
        int there = 0;

        /* The container may have filled the pipe by itself. */
        if (s->untaken >= 0 && ioctl(s->untaken, FIONREAD, &there) == 0)
                (void) lseek(input->outside, -(off_t) (input->end - input->at) - (off_t) MIN((uint64_t) there, input->given),
                             SEEK_CUR);
}

void streams_end(Streams *s) {
        s->ending = true;
        give_back(s);
        for (int i = 0; i < STREAMS; i++) {
                Stream *stream = &s->streams[i];
                int there = 0;

                if (stream->is_input)
                        close_stream(stream);
                else if (ioctl(stream->pipe, FIONREAD, &there) == 0)
                        stream->left = (size_t) there;
                close_if_done(stream);
        }
}

bool streams_are_ending(const Streams *s) {
        return s->ending;
}

bool streams_are_over(const Streams *s) {
        for (int i = 0; i < STREAMS; i++)
                if (s->streams[i].pipe >= 0)
                        return false;
        return s->ending;
}
