/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/streams.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "runtime/stream.h"

struct Streams {
        Stream streams[STREAMS];
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
        return !is_socket(fd) && !fd_is_null(fd) && has_handle(fd);
}

static bool is_terminal(int fd) {
        return isatty(fd);
}

static uint8_t those_that(const Caller *caller, bool (*are)(int fd)) {
        uint8_t found = 0;

        for (int fd = 0; fd < STREAMS; fd++)
                found |= (uint8_t) (are(caller->stdio[fd]) ? 1U << fd : 0U);
        return found;
}

CallerStdio streams_look(const Caller *caller) {
        return (CallerStdio){ .nulls = those_that(caller, fd_is_null), .sockets = those_that(caller, is_socket),
                              .files = those_that(caller, is_file), .terminals = those_that(caller, is_terminal) };
}

Streams *streams_free(Streams *s) {
        for (int fd = 0; s && fd < STREAMS; fd++)
                stream_done(&s->streams[fd]);
        free(s);
        return NULL;
}

/* One pipe for both keeps the order of what is written to the one and to the other. */
static bool is_output_twice(const Streams *s) {
        struct stat out, err;

        return fstat(s->streams[1].outside, &out) == 0 && fstat(s->streams[2].outside, &err) == 0 &&
               out.st_dev == err.st_dev && out.st_ino == err.st_ino;
}

static int make_pipes(Streams *s, uint8_t piped) {
        for (int fd = 0; fd < STREAMS; fd++) {
                Stream *stream = &s->streams[fd];
                int r = 0;

                if (!(piped & 1U << fd))
                        continue;
                if (fd == 2 && s->streams[1].inside >= 0 && is_output_twice(s))
                        r = stream->inside = fcntl(s->streams[1].inside, F_DUPFD_CLOEXEC, STREAMS);
                else
                        r = stream_make_pipe(stream);
                if (r < 0)
                        return -errno;
        }
        return 0;
}

int streams_new(const Caller *caller, uint8_t piped, Streams **ret, Error *reterr) {
        Streams *s;
        int r;

        if (piped == 0)
                return 0;
        s = xmalloc0(sizeof(*s));
        for (int fd = 0; fd < STREAMS; fd++)
                stream_begin(&s->streams[fd], fd, caller->stdio[fd]);
        r = make_pipes(s, piped);
        if (r < 0) {
                streams_free(s);
                return error_errnof(reterr, r, "cannot make pipes for the container's standard descriptors");
        }
        *ret = s;
        return 0;
}

int streams_inside(const Streams *s, const Caller *caller, int fd) {
        return s && s->streams[fd].inside >= 0 ? s->streams[fd].inside : caller->stdio[fd];
}

void streams_begin(Streams *s, pid_t pid) {
        s->pid = pid;
        for (int fd = 0; fd < STREAMS; fd++)
                stream_is_inside(&s->streams[fd]);
}

void streams_ask(const Streams *s, struct pollfd ret[STREAMS]) {
        for (int fd = 0; fd < STREAMS; fd++)
                ret[fd] = stream_ask(&s->streams[fd]);
}

void streams_copy(Streams *s, const struct pollfd fds[STREAMS]) {
        for (int fd = 0; fd < STREAMS; fd++)
                if (fds[fd].revents)
                        stream_pass(&s->streams[fd], s->pid);
}

void streams_end(Streams *s) {
        s->ending = true;
        for (int fd = 0; fd < STREAMS; fd++)
                stream_end(&s->streams[fd]);
}

bool streams_are_ending(const Streams *s) {
        return s->ending;
}

bool streams_are_over(const Streams *s) {
        for (int fd = 0; fd < STREAMS; fd++)
                if (s->streams[fd].pipe >= 0)
                        return false;
        return s->ending;
}
