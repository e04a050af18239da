/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "basic/fd.h"
#include "helper/procfs.h"
#include "helper/steps.h"
#include "helper/talk.h"

/*
 * A created container waits here, perhaps for days, in little memory and with few descriptors: stdio, what is
 * preserved, a listening socket that lies in the runtime's directory, not in the container's, and the one that
 * the container notifies by.
 *
 * SIGTERM ends it, so that `systemctl stop` does not have to wait for the time after which it kills: init of a pid
 * namespace is touched by no signal, SIGKILL aside, that it has no handler for. The exec takes the handler away.
 */

/* The way from a socket to the network namespace that it was made in is open to who has CAP_NET_ADMIN (SIOCGSKNS), so it is
 * made in the container's. The directory of its address is the launcher's. */
int step_make_gate(Helper *h, const InitMakeGate *s, Error *e) {
        h->gate = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        if (h->gate < 0)
                return error_errnof(e, errno, "make the gate");
        return talk_send(h, INIT_MSG_GATE, 0, h->gate, e);
}

/* Who connects and says nothing (a `state` that looks for the gate) must not keep `start` out. */
#define PATIENCE_USEC 2000000

static bool says_start(int connection) {
        struct pollfd p = { .fd = connection, .events = POLLIN };
        uint64_t deadline = now_usec() + PATIENCE_USEC;
        InitMessage m;
        ssize_t n;
        int r;

        do
                r = poll(&p, 1, poll_timeout(deadline));
        while (r < 0 && errno == EINTR);
        if (r <= 0)
                return false;
        n = receive_fd(connection, &m, sizeof(m), NULL);
        return n >= (ssize_t) offsetof(InitMessage, text) && m.type == INIT_MSG_START;
}

static void on_term(int number) {
        _exit(128 + number);
}

/* Who has called `start` listens from now on; if he is gone, nobody does. The kernel counts the descriptors that are on their
 * way by the user who sends them, all containers of uid 0 together, and where there are too many he takes it himself. */
static int hand_over_notify(Helper *h, Error *e) {
        InitMessage m = { .type = INIT_MSG_NOTIFY, .value = h->notify };
        const size_t size = offsetof(InitMessage, text);
        int r = h->notify < 0 ? 0 : send_fd(h->control, &m, size, h->notify);

        if (r == -ETOOMANYREFS && send_fd(h->control, &m, size, -EBADF) == 0 &&
            (receive_fd(h->control, &m, sizeof(m), NULL) <= 0 || m.type == INIT_MSG_START))
                r = 0;
        h->notify = close_fd(h->notify);
        if (r == -ETOOMANYREFS)
                return error_setf(e, -r, "cannot serve NOTIFY_SOCKET: too many descriptors of this user are in flight");
        return 0;
}

int step_gate(Helper *h, const InitGate *s, Error *e) {
        const struct sigaction term = { .sa_handler = on_term };

        (void) sigaction(SIGTERM, &term, NULL);
        h->say = close_fd(h->say);
        h->hear = close_fd(h->hear);
        helper_close_others(h);
        for (;;) {
                _cleanup_close_ int connection = accept4(h->gate, NULL, NULL, SOCK_CLOEXEC);

                if (connection < 0 && (errno == EINTR || errno == ECONNABORTED))
                        continue;
                if (connection < 0)
                        return error_errnof(e, errno, "wait for start");
                if (says_start(connection)) {
                        h->gate = close_fd(h->gate);
                        h->control = TAKE_FD(connection);
                        return hand_over_notify(h, e);
                }
        }
}
