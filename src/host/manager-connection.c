/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The connection to systemd, which may go away and come back: daemon-reexec, and updates of systemd and of the bus. Both
 * are back after a moment, and know then what they knew before.
 */
#include <errno.h>

#include "basic/fd.h"
#include "basic/loop.h"
#include "basic/str.h"
#include "host/bus.h"
#include "host/manager-internal.h"

#define AWAY_USEC 20000

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
                r = m->user ? bus_connect_user(m->caller, &m->bus, &m->peer, reterr)
                            : bus_connect_system(&m->bus, &m->peer, reterr);
        } while (manager_is_away(r, NULL) && now_usec() < manager_patience(m, deadline) && loop_sleep(AWAY_USEC) == 0);
        return r;
}

int manager_reconnect(Manager *m, Error *reterr) {
        int r;

        r = loop_sleep(AWAY_USEC);
        if (r < 0)
                return error_errnof(reterr, r, "cannot connect to systemd");
        r = manager_connect(m, reterr);
        return r < 0 || !m->unit ? r : manager_watch_jobs(m, reterr);
}

int manager_wait(Manager *m, uint64_t deadline) {
        int events = sd.bus_get_events(m->bus), r;
        uint64_t own = UINT64_MAX; /* of the library's, 0 when it has read something already */

        if (events < 0)
                return events;
        r = sd.bus_get_timeout(m->bus, &own);
        if (r >= 0)
                r = loop_wait_fd(sd.bus_get_fd(m->bus), (short) events, MIN(deadline, own));
        return MIN(r, 0);
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
                        r = manager_wait(m, until);
                if (manager_is_away(r, NULL) && now < deadline) {
                        r = manager_reconnect(m, reterr);
                        if (r < 0)
                                return r;
                } else if (r < 0)
                        return error_errnof(reterr, r, "cannot connect to systemd");
        }
        return 0;
}

static int on_reply(sd_bus_message *message, void *userdata, sd_bus_error *unused) {
        *(sd_bus_message **) userdata = sd.bus_message_ref(message);
        return 0;
}

static int await_reply(Manager *m, sd_bus_message *const *reply, uint64_t deadline) {
        while (!*reply) {
                uint64_t until;
                int r = sd.bus_process(m->bus, NULL);

                if (r != 0) {
                        if (r < 0)
                                return r;
                        continue;
                }
                until = manager_patience(m, deadline);
                if (now_usec() >= until)
                        return -ETIMEDOUT;
                r = manager_wait(m, until);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* As sd_bus_call(3), which would wait by itself. -ETIMEDOUT without a name in *ret_error: for longer than systemd may be
 * silent. */
static int call(Manager *m, sd_bus_message *message, uint64_t deadline, sd_bus_message **ret_reply, sd_bus_error *ret_error) {
        sd_bus_message *reply = NULL;
        sd_bus_slot *slot = NULL;
        int r;

        manager_expect(m);
        r = sd.bus_call_async(m->bus, &slot, message, on_reply, &reply, UINT64_MAX);
        if (r >= 0)
                r = await_reply(m, &reply, deadline);
        (void) sd.bus_slot_unref(slot);
        if (r >= 0 && sd.bus_message_is_method_error(reply, NULL))
                r = sd.bus_error_copy(ret_error, sd.bus_message_get_error(reply));
        if (r >= 0 && ret_reply)
                *ret_reply = reply;
        else
                (void) sd.bus_message_unref(reply);
        return MIN(r, 0);
}

static int ask_once(Manager *m, const Question *q, uint64_t deadline, sd_bus_message **ret_reply, sd_bus_error *ret_error,
                    Error *reterr) {
        sd_bus_message *message = NULL;
        int r;

        r = manager_wait_ready(m, reterr);
        if (r >= 0)
                r = q->build(m, q, &message);
        if (r >= 0)
                r = call(m, message, deadline, ret_reply, ret_error);
        (void) sd.bus_message_unref(message);
        return MIN(r, 0);
}

int manager_ask(Manager *m, const Question *q, sd_bus_message **ret_reply, sd_bus_error *ret_error, Error *reterr) {
        uint64_t deadline = now_usec() + MANAGER_TIMEOUT_USEC;

        for (;;) {
                _cleanup_error_ Error error = {};
                int r = ask_once(m, q, deadline, ret_reply, ret_error, &error);

                if (r == 0)
                        return 0;
                if (r == -ETIMEDOUT && error.code == 0 && !ret_error->name)
                        return manager_silence(m, reterr);
                if (!manager_is_away(r, ret_error->name) || now_usec() >= deadline)
                        return error.code ? error_move(reterr, &error) : r;
                sd.bus_error_free(ret_error);
                r = manager_reconnect(m, reterr);
                if (r < 0)
                        return r;
        }
}
