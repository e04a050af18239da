/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "basic/fd.h"
#include "helper/procfs.h"
#include "helper/steps.h"
#include "helper/talk.h"

/*
 * A created container waits here, perhaps for days, in little memory and with two or three descriptors:
 * stdio, what is preserved, and a listening socket that lies in the runtime's directory, not in the
 * container's.
 *
 * SIGTERM ends it, so that `systemctl stop` does not have to wait for the time after which it kills: init of a pid
 * namespace is touched by no signal, SIGKILL aside, that it has no handler for. The exec takes the handler away.
 */

/* Who connects and says nothing (a `state` that looks for the gate) must not keep `start` out. */
#define PATIENCE_USEC 2000000

/* More than we ever open, one after the other from base on. */
#define DESCRIPTORS_MAX (INIT_SLOTS + 128)

/* One by one where the container's filter, which may be in force, does not know close_range(2). */
static void close_but(int fd, int base) {
        int after = MAX(fd + 1, base);

        if (close_range((unsigned) after, ~0U, 0) == 0 &&
            (fd <= base || close_range((unsigned) base, (unsigned) (fd - 1), 0) == 0))
                return;
        for (int i = base; i < base + (int) DESCRIPTORS_MAX; i++)
                if (i != fd)
                        (void) close(i);
}

/* Everything but the gate is closed. */
static void drop_descriptors(Helper *h) {
        int gate = h->gate;

        close_but(gate, h->base);
        h->control = h->target = h->given_root = h->proc = h->root = h->null = -EBADF;
        h->mask_file = h->mask_dir = h->devpts = h->opener = h->nodes = -EBADF;
        for (size_t i = 0; i < INIT_SLOTS; i++)
                h->slots[i] = -EBADF;
}

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

int step_gate(Helper *h, const InitStep *s, Error *e) {
        const struct sigaction term = { .sa_handler = on_term };

        (void) sigaction(SIGTERM, &term, NULL);
        drop_descriptors(h);
        for (;;) {
                _cleanup_close_ int connection = accept4(h->gate, NULL, NULL, SOCK_CLOEXEC);

                if (connection < 0 && (errno == EINTR || errno == ECONNABORTED))
                        continue;
                if (connection < 0)
                        return error_errnof(e, errno, "wait for start");
                if (says_start(connection)) {
                        h->gate = close_fd(h->gate);
                        h->control = TAKE_FD(connection);
                        h->started = true;
                        return 0;
                }
        }
}
