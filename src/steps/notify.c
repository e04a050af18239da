/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "steps/notify.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "basic/child.h"
#include "basic/fd.h"
#include "basic/loop.h"
#include "basic/str.h"
#include "host/manager.h"

#define MESSAGE_MAX 4096 /* systemd's own limit */
#define MESSAGES_AT_ONCE 64
/* For systemd to take a message, and to say that it has. */
#define OUTSIDE_SECONDS 5
/* For a process to close what came with a message, and to end when it is killed. */
#define CLOSING_USEC UINT64_C(50000)

/*
 * What the container sends may hold the last descriptor of anything: of a socket that lingers (SO_LINGER) for as long as the
 * container has said, or of a file that a process of the container's serves (FUSE), where nothing ends the wait. So what has
 * descriptors is taken from the queue, and the socket closed, by a process that has nothing else open.
 */
static _noreturn_ void close_what_comes(int inside, int word) {
        char byte;

        if (dup3(inside, 0, 0) < 0 || dup3(word, 1, 0) < 0 || syscall(SYS_close_range, 2U, ~0U, 0) < 0)
                _exit(1);
        while (read(1, &byte, 1) == 1) {
                (void) recv(0, &byte, 1, MSG_DONTWAIT);
                (void) write_full(1, &byte, 1);
        }
        _exit(0);
}

static int begin_closer(Notify *n) {
        int ends[2], moved;

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
                return -errno;
        moved = fcntl(ends[1], F_DUPFD_CLOEXEC, 3); /* above what the process has in the end */
        n->closer = fork();
        if (n->closer == 0)
                close_what_comes(n->inside, moved);
        close_fd(ends[1]);
        close_fd(moved);
        n->word = ends[0];
        return n->closer < 0 ? -errno : 0;
}

/* False: it has not ended, and never may. */
static bool end_closer(Notify *n) {
        pid_t pid = n->closer;
        int status, r = -ECHILD;

        n->closer = 0;
        n->word = close_fd(n->word);
        if (pid > 0)
                r = child_wait(pid, now_usec() + CLOSING_USEC, &status);
        if (r == -ETIMEDOUT) {
                (void) kill(pid, SIGKILL);
                r = child_wait(pid, now_usec() + CLOSING_USEC, &status);
        }
        return r != -ETIMEDOUT;
}

static void close_inside(Notify *n) {
        if (n->inside >= 0 && n->closer <= 0)
                (void) begin_closer(n);
        n->inside = close_fd(n->inside);
        (void) end_closer(n);
}

/* The first message of the queue, with its descriptors. */
static void drop(Notify *n) {
        char byte = 0;

        if (n->closer <= 0 && begin_closer(n) < 0) { /* not even closed by us, or heard again and again */
                n->inside = -EBADF;
                return;
        }
        if (send_fd(n->word, &byte, 1, -EBADF) == 0 && loop_wait_fd(n->word, POLLIN, now_usec() + CLOSING_USEC) > 0 &&
            read(n->word, &byte, 1) == 1)
                return;
        if (!end_closer(n)) /* and with the socket it may take its time */
                n->inside = close_fd(n->inside);
}

void notify_done(Notify *n) {
        close_inside(n);
        n->outside = close_fd(n->outside);
}

bool notify_is_wanted(const Caller *caller, const SpecProcess *process) {
        for (const char **env = process ? process->env : NULL; env && *env; env++)
                if (startswith(*env, "NOTIFY_SOCKET="))
                        return false;
        return process && caller->notify_socket;
}

/* A path, or "@" and the name of an abstract socket; what else there is (vsock) is for virtual machines. */
static int connect_outside(const char *path) {
        const struct timeval timeout = { .tv_sec = OUTSIDE_SECONDS };
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        size_t n = path ? strlen(path) : 0;
        _cleanup_close_ int fd = -EBADF;

        if (n < 2 || n >= sizeof(address.sun_path) || (path[0] != '/' && path[0] != '@'))
                return -EINVAL;
        memcpy(address.sun_path, path, n);
        if (path[0] == '@')
                address.sun_path[0] = '\0';
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0 ||
            connect(fd, (struct sockaddr *) &address, (socklen_t) (offsetof(struct sockaddr_un, sun_path) + n)) < 0)
                return -errno;
        return TAKE_FD(fd);
}

/* Who could get at the process that kept it may have put anything there, and to wait for a file can take for ever. */
static bool has_messages(int fd) {
        int domain = 0, type = 0;
        socklen_t size = sizeof(int);

        return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX &&
               getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_DGRAM;
}

void notify_begin(const Caller *caller, int inside, Notify *ret) {
        *ret = NOTIFY_NONE;
        ret->inside = inside;
        if (has_messages(inside))
                ret->outside = connect_outside(caller->notify_socket);
        if (ret->outside < 0)
                close_inside(ret);
}

static bool may_pass(const char *line) {
        static const char *const words[] = {
                "READY=", "RELOADING=", "STOPPING=", "STATUS=", "ERRNO=", "BUSERROR=", "VARLINKERROR=", "EXIT_STATUS=",
                "MONOTONIC_USEC=", "WATCHDOG=", "EXTEND_TIMEOUT_USEC=",
        };

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (startswith(line, words[i]))
                        return true;
        return false;
}

/* A status is shown on terminals. */
static void add_line(Text *message, const char *line) {
        for (; *line; line++)
                text_addn(message, (unsigned char) *line < ' ' || *line == 0x7f ? "?" : line, 1);
        text_add(message, "\n");
}

static void pass_message(Notify *n, char *text, pid_t main_pid) {
        _cleanup_text_ Text message = {};
        char *save = NULL;

        for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                if (!may_pass(line))
                        continue;
                add_line(&message, line);
                if (streq(line, "READY=1")) {
                        n->ready = true;
                        if (main_pid > 0)
                                text_addf(&message, "MAINPID=%d\n", main_pid);
                }
        }
        if (message.n > 0)
                (void) send_fd(n->outside, message.s, message.n, -EBADF);
}

/* Looks first: a message that has descriptors is cut off there. */
static ssize_t receive(Notify *n, char *text, size_t size) {
        struct iovec content = { text, size };
        struct msghdr message = { .msg_iov = &content, .msg_iovlen = 1 };
        ssize_t r = n->inside < 0 ? -1 : recvmsg(n->inside, &message, MSG_PEEK | MSG_DONTWAIT);

        if (r >= 0 && message.msg_flags & MSG_CTRUNC)
                drop(n);
        else if (r >= 0)
                r = recv(n->inside, text, size, MSG_DONTWAIT);
        return r;
}

void notify_pass(Notify *n, pid_t main_pid) {
        for (unsigned i = 0; i < MESSAGES_AT_ONCE && !(n->ready && main_pid > 0); i++) {
                char text[MESSAGE_MAX + 1];
                ssize_t size = receive(n, text, sizeof(text));

                if (size < 0)
                        return;
                if (size > MESSAGE_MAX)
                        continue;
                text[size] = '\0';
                pass_message(n, text, main_pid);
        }
}

/* sd_notify_barrier(3): systemd looks at the sender of a message when it reads it, so we have to be there still. 0 when it has
 * read all that was sent. */
static int wait_for_systemd(int outside, uint64_t usec) {
        int ends[2], r;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        r = send_fd(outside, "BARRIER=1", strlen("BARRIER=1"), ends[1]);
        close_fd(ends[1]);
        if (r == 0)
                r = loop_wait_fd(ends[0], POLLIN, now_usec() + usec);
        close_fd(ends[0]);
        return r > 0 ? 0 : r == 0 ? -ETIMEDOUT : r;
}

int notify_tell(const Caller *caller, const char *text, Error *reterr) {
        _cleanup_close_ int outside = connect_outside(caller->notify_socket);
        int r = outside;

        if (r >= 0)
                r = send_fd(outside, text, strlen(text), -EBADF);
        if (r >= 0)
                r = wait_for_systemd(outside, MANAGER_TIMEOUT_USEC);
        return r < 0 ? error_errnof(reterr, r, "cannot tell systemd which process the service has") : 0;
}

void notify_wait(Notify *n, pid_t pid, int pidfd) {
        bool ended = pidfd < 0;

        if (n->inside < 0)
                return;
        do {
                struct pollfd p[] = { { .fd = n->inside, .events = POLLIN | POLLRDHUP }, { .fd = pidfd, .events = POLLIN } };

                if (!ended && loop_wait(p, ELEMENTSOF(p), UINT64_MAX) < 0)
                        return;
                ended = ended || p[1].revents || (p[0].revents & POLLRDHUP); /* what it said before is there by now */
                notify_pass(n, pid);
        } while (!n->ready && !ended);
        if (n->ready)
                (void) wait_for_systemd(n->outside, OUTSIDE_SECONDS * UINT64_C(1000000));
}
