/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "steps/notify.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
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
/* For systemd to take a message, and to say that it has; and for the last messages to come. */
#define PATIENCE_USEC UINT64_C(5000000)
/* For what lingers when it is closed, and for a process to end when it is killed. */
#define CLOSING_USEC 50000

/* A path, or "@" and the name of an abstract socket; what else there is (vsock) is for virtual machines. */
static int connect_outside(const char *path) {
        const struct timeval timeout = { .tv_sec = PATIENCE_USEC / 1000000 };
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

/* --- the receiver -------------------------------------------------------------------------------------------------------
 *
 * What the container sends may hold the last descriptor of anything: of a socket that lingers (SO_LINGER) for as long as the
 * container has said, or of a file that a process of the container's serves (FUSE), where nothing ends the wait of who closes
 * it. And who has the same socket can keep others from it, as he receives into memory that he serves. So a child has that
 * socket, and we have nothing that came from there. It may be left behind: it has nothing of ours.
 */

static void on_alarm(int number) {
}

static int keep_only(int launcher, int given) {
        const struct sigaction alarm = { .sa_handler = on_alarm };
        sigset_t signals;

        (void) sigfillset(&signals); /* those of the terminal, and of who stops a service, are for the launcher */
        (void) sigdelset(&signals, SIGALRM);
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || sigaction(SIGALRM, &alarm, NULL) < 0 ||
            sigprocmask(SIG_SETMASK, &signals, NULL) < 0)
                return -errno;
        return chdir("/") < 0 || dup2(launcher, 0) < 0 || dup2(given, 1) < 0 || close_range(2, ~0U, 0) < 0 ? -errno : 0;
}

int notify_fork(const Caller *caller, int given, Notify *ret) {
        int ends[2], r;

        *ret = NOTIFY_NONE;
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
                return -errno;
        ret->receiver = fork();
        if (ret->receiver == 0 && keep_only(ends[1], given) < 0)
                _exit(1);
        if (ret->receiver == 0)
                return 0;
        r = ret->receiver < 0 ? -errno : 1;
        close_fd(ends[1]);
        ret->inside = ends[0];
        ret->outside = connect_outside(caller->notify_socket);
        return r;
}

/* A signal ends the wait for what lingers. */
static void close_above(int fd) {
        const struct itimerval soon = { { .tv_usec = CLOSING_USEC }, { .tv_usec = CLOSING_USEC } }, never = {};

        (void) setitimer(ITIMER_REAL, &soon, NULL);
        (void) close_range((unsigned) fd + 1, ~0U, 0);
        (void) setitimer(ITIMER_REAL, &never, NULL);
}

/* False: nothing more can come, or nothing is there and the launcher wants no more than that. */
static bool receive_one(int socket) {
        struct pollfd p[] = { { .fd = socket, .events = POLLIN | POLLRDHUP }, { .fd = 0, .events = POLLIN } };
        char text[MESSAGE_MAX + 1];
        ssize_t n = poll(p, ELEMENTSOF(p), -1);

        n = n < 0 ? n : receive_with_fds(socket, text, sizeof(text), MSG_DONTWAIT);
        if (n > 0)
                return send_fd(0, text, (size_t) n, -EBADF) == 0;
        return n == 0 || (!(p[0].revents & ~POLLIN) && !p[1].revents);
}

_noreturn_ void notify_receive(int socket) {
        while (socket >= 0 && receive_one(socket))
                close_above(socket);
        (void) close(0); /* before our end, from which what else is open may keep us */
        _exit(0);
}

void notify_done(Notify *n) {
        int status;

        n->inside = close_fd(n->inside);
        n->outside = close_fd(n->outside);
        if (n->receiver > 0 && kill(n->receiver, SIGKILL) == 0)
                (void) child_wait(n->receiver, now_usec() + CLOSING_USEC, &status);
        n->receiver = 0;
}

/* --- the messages ------------------------------------------------------------------------------------------------------- */

bool notify_is_wanted(const Caller *caller, const SpecProcess *process) {
        for (const char **env = process ? process->env : NULL; env && *env; env++)
                if (startswith(*env, "NOTIFY_SOCKET="))
                        return false;
        return process && caller->notify_socket;
}

void notify_begin(const Caller *caller, int socket, Notify *ret) {
        if (notify_fork(caller, socket, ret) == 0)
                notify_receive(1);
        close_fd(socket);
        if (ret->outside < 0)
                notify_done(ret);
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

void notify_pass(Notify *n, pid_t main_pid) {
        for (unsigned i = 0; i < MESSAGES_AT_ONCE && !(n->ready && main_pid > 0); i++) {
                char text[MESSAGE_MAX + 1];
                ssize_t size = recv(n->inside, text, sizeof(text), MSG_DONTWAIT);

                if (size == 0)
                        n->inside = close_fd(n->inside);
                if (size <= 0)
                        return;
                if (size > MESSAGE_MAX)
                        continue;
                text[size] = '\0';
                pass_message(n, text, main_pid);
        }
}

void notify_finish(Notify *n, pid_t main_pid) {
        uint64_t deadline = now_usec() + PATIENCE_USEC;

        (void) shutdown(n->inside, SHUT_WR);
        while (n->inside >= 0 && !(n->ready && main_pid > 0) && now_usec() < deadline &&
               loop_wait_fd(n->inside, POLLIN, deadline) > 0)
                notify_pass(n, main_pid);
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
        struct pollfd p[] = { { .fd = n->inside, .events = POLLIN }, { .fd = pidfd, .events = POLLIN } };

        if (n->outside < 0)
                return;
        while (n->inside >= 0 && !n->ready && pidfd >= 0 && !p[1].revents) {
                if (loop_wait(p, ELEMENTSOF(p), UINT64_MAX) < 0)
                        return;
                notify_pass(n, pid);
        }
        notify_finish(n, pid);
        if (n->ready)
                (void) wait_for_systemd(n->outside, PATIENCE_USEC);
}
