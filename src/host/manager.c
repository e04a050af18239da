/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The connection to systemd, which may go away and come back: daemon-reexec, and updates of systemd and of the bus. Both
 * are back after a moment, and know then what they knew before.
 */
#include "host/manager.h"

#include <errno.h>
#include <sys/socket.h>

#include "basic/fd.h"
#include "basic/loop.h"
#include "basic/str.h"
#include "host/bus.h"
#include "host/manager-internal.h"

#define SERVICE "org.freedesktop.systemd1"
#define AWAY_USEC 20000

struct Manager {
        sd_bus *bus;            /* NULL: it was lost */
        const char *peer;       /* who is at its other end, in words */
        const Caller *caller;
        bool user;
        pid_t pid;              /* of systemd, as far as it is known */
        Job *jobs;              /* that somebody waits for */
        bool watches;           /* their ends, on this bus */
};

bool manager_is_away(int r, const char *name) {
        static const char *const errors[] = {
                "NoReply", "Disconnected", "ServiceUnknown", "NameHasNoOwner", "Spawn.ChildExited",
        };
        const char *error = name ? startswith(name, "org.freedesktop.DBus.Error.") : NULL;

        for (size_t i = 0; error && i < ELEMENTSOF(errors); i++)
                if (streq(errors[i], error))
                        return true;
        return r == -ECONNRESET || r == -ECONNREFUSED || r == -ENOTCONN || r == -EPIPE;
}

bool manager_is_users(const Manager *m) {
        return m->user;
}

void manager_expect(const Manager *m, Patience *p) {
        patience_begin(p, m->pid);
}

int manager_silence(const Manager *m, Error *reterr) {
        const char *systemd = m->user ? "the user's systemd" : "systemd";

        return error_setf(reterr, ETIMEDOUT, "%s does not answer", sd.bus_is_ready(m->bus) > 0 ? systemd : m->peer);
}

/* --- to connect, and again -------------------------------------------------------------------------------------- */

/* Who is at the other end: the user's systemd, or who listened for it. */
static void note_pid(Manager *m) {
        struct ucred peer = {};
        socklen_t size = sizeof(peer);

        if (m->user && getsockopt(sd.bus_get_fd(m->bus), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0)
                m->pid = peer.pid;
}

/* Begins a connection; waits for a systemd that is about to come back. */
static int begin(Manager *m, Error *reterr) {
        uint64_t deadline = now_usec() + MANAGER_TIMEOUT_USEC;
        Patience patience;
        int r = 0;

        manager_expect(m, &patience);
        do {
                if (r < 0)
                        error_done(reterr);
                r = m->user ? bus_connect_user(m->caller, &m->bus, &m->peer, reterr)
                            : bus_connect_system(&m->bus, &m->peer, reterr);
        } while (manager_is_away(r, NULL) && now_usec() < patience_until(&patience, deadline) &&
                 loop_sleep(AWAY_USEC) == 0);
        if (r == 0)
                note_pid(m);
        return r;
}

static int begin_again(Manager *m, Error *reterr) {
        int r = loop_sleep(AWAY_USEC);

        return r < 0 ? error_errnof(reterr, r, "cannot connect to systemd") : begin(m, reterr);
}

int manager_open(const Caller *caller, bool user, Manager **ret, Error *reterr) {
        _cleanup_manager_ Manager *m = NULL;
        int r;

        r = sd_load(reterr);
        if (r < 0)
                return r;
        m = xmalloc0(sizeof(*m));
        m->caller = caller;
        m->user = user;
        m->pid = user ? 0 : 1;
        r = begin(m, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(m);
        return 0;
}

void manager_lose(Manager *m) {
        for (Job *job = m->jobs; job; job = job->next) {
                job->request = sd.bus_slot_unref(job->request);
                job->lost = !job->result;
        }
        m->bus = sd.bus_close_unref(m->bus);
        m->watches = false;
}

Manager *manager_close(Manager *m) {
        if (!m)
                return NULL;
        while (m->jobs)
                manager_remove_job(m, m->jobs);
        if (m->bus)
                (void) sd.bus_close_unref(m->bus);
        free(m);
        return NULL;
}

/* --- to wait ---------------------------------------------------------------------------------------------------- */

int manager_poll_fd(const Manager *m) {
        return sd.bus_get_fd(m->bus);
}

short manager_poll_events(const Manager *m) {
        int events = sd.bus_get_events(m->bus);

        /* 0: a message has been read while we waited for another one. Whoever polls is to come back at once. */
        return (short) (events < 0 ? POLLIN : events ?: POLLOUT);
}

int manager_wait(const Manager *m, uint64_t deadline) {
        int events = sd.bus_get_events(m->bus), r;
        uint64_t own = UINT64_MAX; /* of the library's, 0 when it has read something already */

        if (events < 0)
                return events;
        r = sd.bus_get_timeout(m->bus, &own);
        if (r >= 0)
                r = loop_wait_fd(sd.bus_get_fd(m->bus), (short) events, MIN(deadline, own));
        return MIN(r, 0);
}

/* One thing that has come, or the wait for it; -ETIMEDOUT: systemd has been silent for longer than it may be. */
static int take_turn(const Manager *m, Patience *patience, uint64_t deadline) {
        int r = sd.bus_process(m->bus, NULL);
        uint64_t until;

        if (r != 0)
                return MIN(r, 0);
        until = patience_until(patience, deadline);
        return now_usec() >= until ? -ETIMEDOUT : manager_wait(m, until);
}

int manager_process(Manager *m) {
        int r = 0;

        while (m->bus && (r = sd.bus_process(m->bus, NULL)) > 0)
                ;
        if (!manager_is_away(r, NULL))
                return r;
        manager_lose(m);
        return 0;
}

static int await_greeting(const Manager *m, uint64_t deadline) {
        Patience patience;
        int r = 0;

        if (sd.bus_is_ready(m->bus) > 0)
                return 0;
        manager_expect(m, &patience);
        while (r == 0 && sd.bus_is_ready(m->bus) <= 0)
                r = take_turn(m, &patience, deadline);
        return r;
}

/* Before anything that waits for the greeting by itself: descriptors in a message. libsystemd would do so for 90 s. */
static int get_ready(Manager *m, Error *reterr) {
        uint64_t deadline = now_usec() + MANAGER_TIMEOUT_USEC;

        for (;;) {
                int r = m->bus ? 0 : begin_again(m, reterr);

                if (r < 0)
                        return r;
                r = await_greeting(m, deadline);
                if (r == -ETIMEDOUT)
                        return manager_silence(m, reterr);
                if (!manager_is_away(r, NULL) || now_usec() >= deadline)
                        return r < 0 ? error_errnof(reterr, r, "cannot connect to systemd") : 0;
                manager_lose(m);
        }
}

/* --- who waits for a job ---------------------------------------------------------------------------------------- */

void manager_add_job(Manager *m, Job *job) {
        job->manager = m;
        job->next = m->jobs;
        m->jobs = job;
}

void manager_remove_job(Manager *m, Job *job) {
        Job **at = &m->jobs;

        while (*at != job)
                at = &(*at)->next;
        *at = job->next;
        job->request = sd.bus_slot_unref(job->request);
        job->manager = NULL;
}

/* By its path: an older job of the same unit may end while this one waits. On a bus anybody may send a signal, to whom he
 * likes: only that of who has answered the request counts. */
static int on_job_removed(sd_bus_message *message, void *userdata, sd_bus_error *unused) {
        const char *path, *unit, *result, *sender = sd.bus_message_get_sender(message) ?: "";
        const Manager *m = userdata;
        uint32_t id;

        if (sd.bus_message_read(message, "uoss", &id, &path, &unit, &result) < 0)
                return 0;
        for (Job *job = m->jobs; job; job = job->next)
                if (!job->result && streq_null(job->path, path) && streq(job->systemd, sender))
                        job->result = xstrdup(result);
        return 0;
}

/* Where nobody waits for a job, neither we nor the bus are woken by those of others. */
static int watch_jobs(Manager *m) {
        int r;

        if (!m->jobs || m->watches)
                return 0;
        r = sd.bus_match_signal_async(m->bus, NULL, SERVICE, MANAGER_OBJECT, MANAGER_INTERFACE, "JobRemoved",
                                      on_job_removed, NULL, m);
        m->watches = r >= 0;
        return r;
}

/* --- to ask ----------------------------------------------------------------------------------------------------- */

static int send_message(Manager *m, const Question *q, sd_bus_message_handler_t callback, void *userdata,
                        sd_bus_slot **ret) {
        _cleanup_message_ sd_bus_message *message = NULL;
        int r = watch_jobs(m);

        if (r >= 0)
                r = sd.bus_message_new_method_call(m->bus, &message, SERVICE, q->object, q->interface, q->method);
        if (r >= 0 && q->append)
                r = q->append(message, q->arguments);
        return r < 0 ? r : sd.bus_call_async(m->bus, ret, message, callback, userdata, UINT64_MAX);
}

int manager_send(Manager *m, const Question *q, sd_bus_message_handler_t callback, void *userdata, sd_bus_slot **ret,
                 Error *reterr) {
        int r = get_ready(m, reterr);

        if (r < 0)
                return r;
        r = send_message(m, q, callback, userdata, ret);
        if (r < 0 && manager_is_away(r, NULL)) { /* since it was looked at */
                manager_lose(m);
                r = get_ready(m, reterr);
                if (r >= 0)
                        r = send_message(m, q, callback, userdata, ret);
        }
        return MIN(r, 0);
}

static int on_reply(sd_bus_message *message, void *userdata, sd_bus_error *unused) {
        *(sd_bus_message **) userdata = sd.bus_message_ref(message);
        return 0;
}

/* As sd_bus_call(3), which would wait by itself. */
static int ask_once(Manager *m, const Question *q, uint64_t deadline, sd_bus_message **ret_reply,
                    sd_bus_error *ret_error, Error *reterr) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        sd_bus_slot *slot = NULL;
        Patience patience;
        int r;

        r = manager_send(m, q, on_reply, &reply, &slot, reterr);
        if (r < 0)
                return r;
        manager_expect(m, &patience);
        while (r == 0 && !reply)
                r = take_turn(m, &patience, deadline);
        (void) sd.bus_slot_unref(slot);
        if (r == -ETIMEDOUT)
                return manager_silence(m, reterr);
        if (r == 0 && sd.bus_message_is_method_error(reply, NULL))
                return sd.bus_error_copy(ret_error, sd.bus_message_get_error(reply));
        if (r == 0 && ret_reply)
                *ret_reply = TAKE_PTR(reply);
        return r;
}

int manager_ask(Manager *m, const Question *q, sd_bus_message **ret_reply, sd_bus_error *ret_error, Error *reterr) {
        uint64_t deadline = now_usec() + MANAGER_TIMEOUT_USEC;

        for (;;) {
                _cleanup_error_ Error error = {};
                int r = ask_once(m, q, deadline, ret_reply, ret_error, &error);

                if (r == 0)
                        return 0;
                if (!manager_is_away(r, ret_error->name) || now_usec() >= deadline)
                        return error.code ? error_move(reterr, &error) : r;
                sd.bus_error_free(ret_error);
                manager_lose(m);
        }
}
