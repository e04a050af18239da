/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/talk.h"

#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "basic/fd.h"
#include "helper/steps.h"

static size_t message_size(const InitMessage *m) {
        return offsetof(InitMessage, text) + strlen(m->text) + 1;
}

static int say(Helper *h, const InitMessage *m, int fd) {
        return h->control >= 0 ? send_fd(h->control, m, message_size(m), fd) : write_full(h->say, m, message_size(m));
}

static ssize_t hear(Helper *h, InitMessage *ret) {
        return h->control >= 0 ? receive_fd(h->control, ret, sizeof(*ret), NULL) : read_packet(h->hear, ret, sizeof(*ret));
}

int talk_send(Helper *h, InitMessageType type, int value, int fd, Error *e) {
        InitMessage m;
        int r;

        m.type = type;
        m.value = value;
        m.text[0] = '\0';
        r = say(h, &m, fd);
        if (r == -EPIPE || r == -ECONNRESET)
                _exit(1);
        return r < 0 ? error_errnof(e, r, "send message %d to the runtime", (int) type) : 0;
}

static bool comes_at_any_time(uint32_t type) {
        return type == INIT_MSG_CGROUP || type == INIT_MSG_BOUND;
}

int talk_wait(Helper *h, InitMessageType type, Error *e) {
        while (!(h->heard & UINT64_C(1) << type)) {
                InitMessage m;
                ssize_t n = hear(h, &m);

                if (n == 0 || n == -ECONNRESET)
                        _exit(1);
                if (n < 0)
                        return error_errnof(e, (int) n, "wait for message %d of the runtime", (int) type);
                if ((size_t) n < offsetof(InitMessage, text) || (m.type != (uint32_t) type && !comes_at_any_time(m.type)))
                        return error_setf(e, EBADMSG, "the runtime sent message %d instead of %d",
                                          (size_t) n < sizeof(m.type) ? -1 : (int) m.type, (int) type);
                h->heard |= UINT64_C(1) << m.type;
        }
        h->heard &= ~(UINT64_C(1) << type);
        return 0;
}

int talk_by_pipes(Helper *h, Error *e) {
        int r = h->gate >= 0 ? talk_wait(h, INIT_MSG_BOUND, e) : 0;

        if (r >= 0)
                r = talk_send(h, INIT_MSG_PIPES, 0, -EBADF, e);
        if (r >= 0)
                h->control = close_fd(h->control);
        return r;
}

void talk_error(Helper *h, const Error *e) {
        InitMessage m;

        m.type = INIT_MSG_ERROR;
        m.value = e->code;
        (void) snprintf(m.text, sizeof(m.text), "%s", e->message ?: "unknown error");
        (void) say(h, &m, -EBADF);
        /* When the main process of a service has ended systemd kills the others: the runtime, before it has read this. It
         * ends us, or is gone. */
        while (h->control < 0 && h->released && hear(h, &m) > 0)
                ;
        if (h->control < 0)
                return;
        /* A socket closed with messages unread is reset: the other end sees that before what we said. */
        (void) shutdown(h->control, SHUT_RD);
        while (recv(h->control, &m, sizeof(m), MSG_DONTWAIT) > 0)
                ;
}

int step_wait_cgroup(Helper *h, const InitWaitCgroup *s, Error *e) {
        return talk_wait(h, INIT_MSG_CGROUP, e);
}

int step_runtime_hooks(Helper *h, const InitRuntimeHooks *s, Error *e) {
        int r = talk_send(h, INIT_MSG_HOOKS, 0, -EBADF, e);

        return r < 0 ? r : talk_wait(h, INIT_MSG_HOOKS_DONE, e);
}

int step_ready(Helper *h, const InitReady *s, Error *e) {
        int r = 0;

        if (!h->inside) { /* or else INIT_FORK_INSIDE has done the like, and INIT_MSG_INSIDE said it */
                /* Before we say so: once the runtime has let us go its end is nothing to us. */
                (void) prctl(PR_SET_PDEATHSIG, 0);
                r = talk_by_pipes(h, e);
                helper_close_others(h); /* startContainer hooks see us */
        }
        /* Not the runtime: a socket tells those who hold it who has called that. */
        if (r >= 0 && h->gate >= 0 && listen(h->gate, 8) < 0)
                return error_errnof(e, errno, "listen at the gate");
        if (r >= 0 && !h->inside)
                r = talk_send(h, INIT_MSG_READY, 0, -EBADF, e);
        if (r >= 0)
                r = talk_wait(h, INIT_MSG_GO, e);
        h->released = r >= 0;
        return r;
}
