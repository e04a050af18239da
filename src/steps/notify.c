/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "steps/notify.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "basic/alarm.h"
#include "basic/fd.h"
#include "basic/loop.h"
#include "basic/str.h"

#define MESSAGE_MAX 4096 /* systemd's own limit */
#define MESSAGES_AT_ONCE 64
/* For systemd to take a message, and to say that it has. */
#define OUTSIDE_SECONDS 5
/* What the container sends may hold the last descriptor of a socket that lingers (SO_LINGER): who closes that
 * waits for as long as the container has said, or for a signal, and `run` has all blocked. */
#define LINGER_USEC 10000

/* With what nobody has read. */
static int close_inside(int fd) {
        Alarm alarm;

        if (fd < 0)
                return -EBADF;
        alarm_begin(LINGER_USEC, &alarm);
        (void) close_fd(fd);
        alarm_end(&alarm);
        return -EBADF;
}

void notify_done(Notify *n) {
        n->inside = close_inside(n->inside);
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
        if (has_messages(inside))
                ret->outside = connect_outside(caller->notify_socket);
        ret->inside = ret->outside < 0 ? close_inside(inside) : inside;
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

/* Descriptors that come with a message are closed. */
static ssize_t receive(int fd, char *text, size_t size) {
        Alarm alarm;
        ssize_t r;

        alarm_begin(LINGER_USEC, &alarm);
        r = recv(fd, text, size, MSG_DONTWAIT);
        r = r < 0 ? -errno : r;
        alarm_end(&alarm);
        return r;
}

void notify_pass(Notify *n, pid_t main_pid) {
        for (unsigned i = 0; i < MESSAGES_AT_ONCE && !(n->ready && main_pid > 0); i++) {
                char text[MESSAGE_MAX + 1];
                ssize_t size = receive(n->inside, text, sizeof(text));

                if (size == -EINTR)
                        continue;
                if (size < 0)
                        return;
                if (size > MESSAGE_MAX)
                        continue;
                text[size] = '\0';
                pass_message(n, text, main_pid);
        }
}

/* sd_notify_barrier(3): systemd looks at the sender of a message when it reads it, so we have to be there still. */
static void wait_for_systemd(const Notify *n) {
        int ends[2];

        if (pipe2(ends, O_CLOEXEC) < 0)
                return;
        if (send_fd(n->outside, "BARRIER=1", strlen("BARRIER=1"), ends[1]) == 0) {
                ends[1] = close_fd(ends[1]);
                (void) loop_wait_fd(ends[0], POLLIN, now_usec() + OUTSIDE_SECONDS * UINT64_C(1000000));
        }
        close_fd(ends[0]);
        close_fd(ends[1]);
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
                wait_for_systemd(n);
}
