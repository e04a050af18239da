/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/streams.h"

#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/fd.h"

#define BUFFER_SIZE 65536U /* what is in a pipe */

typedef struct Stream {
        int socket;             /* 0, 1 or 2 */
        int pipe;               /* our end; -EBADF: nothing comes or goes any more */
        size_t left;            /* how much is to be read yet; SIZE_MAX: all */
        size_t at, end;         /* of the bytes, those that were read and not written yet */
        char bytes[BUFFER_SIZE];
} Stream;

struct Streams {
        Stream streams[STREAMS];
        int inside[STREAMS];
        pid_t pid;
        bool ending;
};

uint8_t streams_sockets(void) {
        uint8_t found = 0;
        struct stat st;

        for (int fd = 0; fd < STREAMS; fd++)
                if (fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode))
                        found |= (uint8_t) (1U << fd);
        return found;
}

Streams *streams_free(Streams *s) {
        for (int fd = 0; s && fd < STREAMS; fd++) {
                close_fd(s->streams[fd].pipe);
                close_fd(s->inside[fd]);
        }
        free(s);
        return NULL;
}

/* One pipe for both keeps the order of what is written to the one and to the other. */
static bool is_output_twice(void) {
        struct stat out, err;

        return fstat(1, &out) == 0 && fstat(2, &err) == 0 && out.st_dev == err.st_dev && out.st_ino == err.st_ino;
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

static int make_pipes(Streams *s, uint8_t sockets) {
        for (int fd = 0; fd < STREAMS; fd++) {
                int r = 0;

                if (!(sockets & 1U << fd))
                        continue;
                if (fd == 2 && s->inside[1] >= 0 && is_output_twice())
                        r = s->inside[2] = fcntl(s->inside[1], F_DUPFD_CLOEXEC, STREAMS);
                else
                        r = make_pipe(s, fd);
                if (r < 0)
                        return -errno;
        }
        return 0;
}

int streams_new(uint8_t sockets, Streams **ret, Error *reterr) {
        Streams *s;
        int r;

        if (sockets == 0)
                return 0;
        s = xmalloc0(sizeof(*s));
        for (int fd = 0; fd < STREAMS; fd++) {
                s->streams[fd].socket = fd;
                s->streams[fd].left = SIZE_MAX;
                s->streams[fd].pipe = s->inside[fd] = -EBADF;
        }
        r = make_pipes(s, sockets);
        if (r < 0) {
                streams_free(s);
                return error_errnof(reterr, r, "cannot make pipes for the container's standard descriptors");
        }
        *ret = s;
        return 0;
}

int streams_inside(const Streams *s, int fd) {
        return s ? s->inside[fd] : -EBADF;
}

void streams_begin(Streams *s, pid_t pid) {
        s->pid = pid;
        for (int fd = 0; fd < STREAMS; fd++)
                s->inside[fd] = close_fd(s->inside[fd]);
}

/* --- one of them ------------------------------------------------------------------------------------------------ */

static bool is_input(const Stream *s) {
        return s->socket == 0;
}

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
        ssize_t n = is_input(s) ? recv(s->socket, s->bytes, size, MSG_DONTWAIT) : read(s->pipe, s->bytes, size);

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

static void give(Stream *s, pid_t pid) {
        char *bytes = s->bytes + s->at;
        size_t size = s->end - s->at;
        ssize_t n = is_input(s) ? write(s->pipe, bytes, size) : send_as(pid, s->socket, bytes, size);

        if (n > 0)
                s->at += (size_t) n;
        else if (!is_for_later(n))
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
                ret[i].fd = stream->pipe < 0 ? -EBADF : gives == is_input(stream) ? stream->pipe : stream->socket;
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

void streams_end(Streams *s) {
        s->ending = true;
        for (int i = 0; i < STREAMS; i++) {
                Stream *stream = &s->streams[i];
                int there = 0;

                if (is_input(stream))
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
