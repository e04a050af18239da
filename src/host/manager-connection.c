/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The connection to systemd, which may go away and come back: daemon-reexec, and updates of systemd and of the bus. Both
 * are back after a moment, and know then what they knew before.
 */
#include <errno.h>
#include <poll.h>

#include "basic/fd.h"
#include "basic/str.h"
#include "host/bus.h"
#include "host/manager-internal.h"

#define AWAY_POLL_MSEC 20

bool manager_is_away(int r, const char *name) {
        static const char *const names[] = {
                "org.freedesktop.DBus.Error.NoReply", "org.freedesktop.DBus.Error.Disconnected",
                "org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner",
                "org.freedesktop.DBus.Error.Spawn.ChildExited",
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (streq_null(names[i], name))
                        return true;
        return r == -ECONNRESET || r == -ECONNREFUSED || r == -ENOTCONN || r == -EPIPE;
}

int manager_connect(Manager *m, Error *reterr) {
        uint64_t deadline = now_usec() + MANAGER_TIMEOUT_USEC;
        int r = 0;

        manager_expect(m);
        do {
                if (r < 0)
                        error_done(reterr);
                if (m->bus)
                        (void) sd.bus_close_unref(m->bus);
                m->bus = NULL;
                r = m->user ? bus_connect_user(&m->bus, &m->peer, reterr)
                            : bus_connect_system(&m->bus, &m->peer, reterr);
        } while (manager_is_away(r, NULL) && now_usec() < manager_patience(m, deadline) && poll(NULL, 0, AWAY_POLL_MSEC) == 0);
        return r;
}

int manager_reconnect(Manager *m, Error *reterr) {
        int r;

        (void) poll(NULL, 0, AWAY_POLL_MSEC);
        r = manager_connect(m, reterr);
        return r < 0 || !m->unit ? r : manager_watch_jobs(m, reterr);
}

int manager_wait_ready(Manager *m, Error *reterr) {
        uint64_t now, until, deadline = now_usec() + MANAGER_TIMEOUT_USEC;
        int r;

        if (sd.bus_is_ready(m->bus) > 0)
                return 0;
        manager_expect(m);
        while ((r = sd.bus_is_ready(m->bus)) <= 0) {
                if (r == 0)
                        r = sd.bus_process(m->bus, NULL);
                until = manager_patience(m, deadline);
                now = now_usec();
                if (r == 0 && now >= until)
                        return manager_silence(m, reterr);
                if (r == 0)
                        r = sd.bus_wait(m->bus, until - now);
                if (manager_is_away(r, NULL) && now < deadline) {
                        r = manager_reconnect(m, reterr);
                        if (r < 0)
                                return r;
                } else if (r < 0 && r != -EINTR)
                        return error_errnof(reterr, r, "cannot connect to systemd");
        }
        return 0;
}

static int ask_once(Manager *m, const Question *q, uint64_t deadline, sd_bus_message **ret_reply, sd_bus_error *ret_error,
                    Error *reterr) {
        sd_bus_message *message = NULL;
        uint64_t now;
        int r;

        r = manager_wait_ready(m, reterr);
        if (r >= 0)
                r = q->build(m, q, &message);
        if (r >= 0) {
                manager_expect(m);
                now = now_usec();
                r = sd.bus_call(m->bus, message, MAX(manager_patience(m, deadline), now + 1) - now, ret_error, ret_reply);
        }
        (void) sd.bus_message_unref(message);
        return r < 0 ? r : 0;
}

int manager_ask(Manager *m, const Question *q, sd_bus_message **ret_reply, sd_bus_error *ret_error, Error *reterr) {
        uint64_t deadline = now_usec() + MANAGER_TIMEOUT_USEC;

        for (;;) {
                _cleanup_error_ Error error = {};
                int r = ask_once(m, q, deadline, ret_reply, ret_error, &error);

                if (r == 0)
                        return 0;
                if (r == -ETIMEDOUT && error.code == 0) {
                        if (now_usec() >= deadline || !manager_is_at_work(m))
                                return manager_silence(m, reterr);
                        sd.bus_error_free(ret_error);
                        continue;
                }
                if (!manager_is_away(r, ret_error->name) || now_usec() >= deadline)
                        return error.code ? error_setf(reterr, error.code, "%s", error.message) : r;
                sd.bus_error_free(ret_error);
                r = manager_reconnect(m, reterr);
                if (r < 0)
                        return r;
        }
}
