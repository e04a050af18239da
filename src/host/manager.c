/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/manager.h"

#include <errno.h>

#include "basic/fd.h"
#include "basic/loop.h"
#include "basic/str.h"
#include "host/cgroup.h"
#include "host/manager-internal.h"

/* PIDs= for old managers, and one try each for what else it may not know: bounded, because each is a round trip. */
#define START_TRIES 16

/* systemd does not stop what it has frozen, and does not thaw what is in a frozen slice; but it forgets a scope without
 * processes, frozen or not, and for that it gets this much time. */
#define FROZEN_USEC 2000000
#define FROZEN_LOOK_USEC 10000

/* A job that systemd had before it began again needs no more than this. */
#define ARRIVAL_USEC 5000000
#define ARRIVAL_LOOK_USEC 10000

#define UNIT_EXISTS "org.freedesktop.systemd1.UnitExists"

int manager_open(const Caller *caller, bool user, Manager **ret, Error *reterr) {
        _cleanup_manager_ Manager *m = NULL;
        int r;

        r = sd_load(reterr);
        if (r < 0)
                return r;
        m = xmalloc0(sizeof(*m));
        m->caller = caller;
        m->user = user;
        r = manager_connect(m, reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(m);
        return 0;
}

static void job_done(Manager *m) {
        m->unit = (free(m->unit), NULL);
        m->job_path = (free(m->job_path), NULL);
        m->systemd = (free(m->systemd), NULL);
        m->job_result = (free(m->job_result), NULL);
        m->job_error_name = (free(m->job_error_name), NULL);
        error_done(&m->job_error);
        m->job = JOB_NONE;
}

Manager *manager_close(Manager *m) {
        if (!m)
                return NULL;
        job_done(m);
        manager_forget_properties(m);
        free(m->dropped);
        if (m->bus)
                (void) sd.bus_close_unref(m->bus);
        free(m);
        return NULL;
}

/* On a bus anybody may send a signal, to whom he likes: only that of who has answered our request counts. */
static bool is_systemd(const Manager *m, sd_bus_message *message) {
        return streq_null(m->systemd, sd.bus_message_get_sender(message) ?: "");
}

static int on_job_removed(sd_bus_message *message, void *userdata, sd_bus_error *unused) {
        const char *path, *unit, *result;
        Manager *m = userdata;
        uint32_t id;

        if (sd.bus_message_read(message, "uoss", &id, &path, &unit, &result) < 0)
                return 0;
        /* Ours, by its path: an older job of the same unit may end while ours waits. */
        if (m->job != JOB_QUEUED || !streq(unit, m->unit) || !streq(path, m->job_path) || !is_systemd(m, message))
                return 0;
        m->job_result = xstrdup(result);
        m->job = streq(result, "done") ? JOB_DONE : JOB_FAILED;
        return 0;
}

static int on_job_queued(sd_bus_message *message, void *userdata, sd_bus_error *unused) {
        const char *path;
        Manager *m = userdata;

        if (m->job != JOB_SENT)
                return 0;
        if (sd.bus_message_is_method_error(message, NULL)) {
                const sd_bus_error *e = sd.bus_message_get_error(message);

                m->job = JOB_FAILED;
                m->job_error_name = xstrdup(e->name ?: "");
                error_setf(&m->job_error, EREMOTEIO, "%s", e->message ?: e->name ?: "unknown error");
        } else if (sd.bus_message_read(message, "o", &path) >= 0) {
                m->job_path = xstrdup(path);
                m->systemd = xstrdup(sd.bus_message_get_sender(message) ?: "");
                m->job = JOB_QUEUED;
        }
        return 0;
}

/* on_job_removed() looks for that of our unit. */
int manager_watch_jobs(Manager *m, Error *reterr) {
        int r = sd.bus_match_signal_async(m->bus, NULL, SERVICE, OBJECT, INTERFACE, "JobRemoved", on_job_removed, NULL, m);

        return r < 0 ? error_errnof(reterr, r, "cannot watch systemd's jobs") : 0;
}

static int watch_unit(Manager *m, const char *unit, Error *reterr) {
        job_done(m);
        m->unit = xstrdup(unit);
        return manager_watch_jobs(m, reterr);
}

static int send_start(Manager *m, Error *reterr) {
        sd_bus_message *message = NULL;
        int r;

        m->tries++;
        r = manager_wait_ready(m, reterr);
        if (r < 0)
                return r;
        r = sd.bus_message_new_method_call(m->bus, &message, SERVICE, OBJECT, INTERFACE, "StartTransientUnit");
        if (r >= 0)
                r = marshal_start_scope(message, m->plan, m->dropped, &m->process);
        if (r >= 0)
                r = sd.bus_call_async(m->bus, NULL, message, on_job_queued, m, MANAGER_TIMEOUT_USEC);
        (void) sd.bus_message_unref(message);
        if (r < 0)
                return error_errnof(reterr, r, "cannot ask systemd for scope %s", m->plan->name);
        m->job = JOB_SENT;
        manager_expect(m);
        return 0;
}

int manager_start_scope(Manager *m, const UnitPlan *plan, pid_t pid, int pidfd, Error *reterr) {
        int r;

        manager_set_plan(m, plan);
        m->process = (ScopeProcess){ .pid = pid, .pidfd = pidfd };
        r = watch_unit(m, plan->name, reterr);
        return r < 0 ? r : send_start(m, reterr);
}

int manager_poll_fd(Manager *m) {
        return sd.bus_get_fd(m->bus);
}

short manager_poll_events(Manager *m) {
        int events = sd.bus_get_events(m->bus);

        /* 0: a message has been read while we waited for another one. Whoever polls is to come back at once. */
        return (short) (events < 0 ? POLLIN : events ?: POLLOUT);
}

/* After a refusal: something to leave out or to clear away, and the request sent again? */
static int try_again(Manager *m, Error *reterr) {
        int property;

        if (m->tries >= START_TRIES)
                return 0;
        property = manager_refused_property(m->plan, m->job_error_name, m->job_error.message);
        if (property == REFUSED_PIDFDS && m->process.pidfd >= 0)
                m->process.pidfd = -EBADF;
        else if (property >= 0 && m->plan->props[property].optional)
                m->dropped[property] = true;
        else if (streq_null(m->job_error_name, UNIT_EXISTS) && !m->was_reset) {
                m->was_reset = true;
                (void) manager_call_for_unit(m, "ResetFailedUnit", m->plan->name, NULL);
        } else
                return 0;
        error_done(&m->job_error);
        m->job_error_name = (free(m->job_error_name), NULL);
        return send_start(m, reterr) < 0 ? -EREMOTEIO : 1;
}

static bool has_arrived(const Manager *m) {
        _cleanup_free_ char *path = NULL;

        return cgroup_of_pid(m->process.pid, &path) == 0 &&
               cgroup_belongs_to_unit(path, m->plan->slice, m->plan->name);
}

/* The connection is lost, and nobody knows whether systemd has heard the request: it is sent again. */
static int start_again(Manager *m, Error *reterr) {
        int r;

        error_done(&m->job_error);
        m->job_error_name = (free(m->job_error_name), NULL);
        m->was_lost = true;
        r = manager_reconnect(m, reterr);
        if (r == 0)
                r = send_start(m, reterr);
        return r < 0 ? r : 0;
}

/* Does the scope exist because systemd has heard the request that was sent before the connection was lost? Then our
 * process is in it, or will be. */
static bool exists_by_us(const Manager *m) {
        uint64_t deadline = now_usec() + ARRIVAL_USEC;

        if (!m->was_lost || !streq_null(m->job_error_name, UNIT_EXISTS))
                return false;
        while (!has_arrived(m))
                if (now_usec() >= deadline || loop_sleep(ARRIVAL_LOOK_USEC) < 0)
                        return false;
        return true;
}

int manager_dispatch(Manager *m, Error *reterr) {
        int r;

        do {
                r = sd.bus_process(m->bus, NULL);
                if (r < 0 && (!manager_is_away(r, NULL) || m->tries >= START_TRIES))
                        return error_errnof(reterr, r, "lost the connection to systemd while it made scope %s", m->unit);
        } while (r > 0);
        if (m->job != JOB_DONE && m->tries < START_TRIES && manager_is_away(r, m->job_error_name))
                return start_again(m, reterr);
        if (m->job == JOB_DONE || (m->job == JOB_FAILED && exists_by_us(m)))
                return 1;
        if (m->job != JOB_FAILED)
                return 0;
        if (m->job_error.code == 0)
                return error_setf(reterr, EREMOTEIO, "systemd's job for %s ended with \"%s\"", m->unit, m->job_result);
        r = try_again(m, reterr);
        if (r != 0)
                return r < 0 ? r : 0;
        return error_setf(reterr, EREMOTEIO, "systemd refused scope %s: %s%s", m->unit, m->job_error.message,
                          streq_null(m->job_error_name, UNIT_EXISTS) ?
                          " (systemctl status shows whose it is; its name comes from the ID or linux.cgroupsPath)" : "");
}

/* What is queued has been heard, and may have to wait for other jobs. */
uint64_t manager_wait_until(Manager *m, uint64_t deadline) {
        return m->job == JOB_SENT ? manager_patience(m, deadline) : deadline;
}

int manager_give_up(const Manager *m, Error *reterr) {
        if (m->job == JOB_SENT)
                return manager_silence(m, reterr);
        return error_setf(reterr, ETIMEDOUT, "systemd did not finish the job of %s in time", m->unit);
}

static int wait_job(Manager *m, uint64_t deadline, Error *reterr) {
        for (;;) {
                uint64_t until;
                int r;

                r = manager_dispatch(m, reterr);
                if (r != 0)
                        return r < 0 ? r : 0;
                until = manager_wait_until(m, deadline);
                if (now_usec() >= until)
                        return manager_give_up(m, reterr);
                r = manager_wait(m, until);
                if (r < 0)
                        return error_errnof(reterr, r, "lost the connection to systemd");
        }
}

void manager_abandon_scope(Manager *m, const char *invocation, uint64_t deadline) {
        _cleanup_error_ Error error = {};
        bool ours;

        m->tries = START_TRIES;
        while (manager_dispatch(m, &error) >= 0 && m->job == JOB_SENT) {
                uint64_t until = manager_wait_until(m, deadline);

                if (now_usec() >= until || manager_wait(m, until) < 0)
                        break;
        }
        ours = m->job == JOB_QUEUED || m->job == JOB_DONE || (m->job == JOB_FAILED && m->job_error.code == 0);
        if (ours)
                (void) manager_stop_unit(m, (UnitRef){ m->plan->name, invocation }, deadline, NULL);
}

static int stop_unit(Manager *m, UnitRef unit, uint64_t deadline, Error *reterr) {
        _cleanup_free_ char *object = manager_object(unit);
        sd_bus_message *message = NULL;
        int r;

        r = watch_unit(m, unit.name, reterr);
        if (r < 0)
                return r;
        m->tries = START_TRIES; /* a stop is not tried again */
        r = sd.bus_message_new_method_call(m->bus, &message, SERVICE, object, OF_UNITS, "Stop");
        if (r >= 0)
                r = sd.bus_message_append(message, "s", "replace");
        if (r >= 0)
                r = sd.bus_call_async(m->bus, NULL, message, on_job_queued, m, MANAGER_TIMEOUT_USEC);
        (void) sd.bus_message_unref(message);
        if (r < 0)
                return error_errnof(reterr, r, "cannot ask systemd to stop %s", unit.name);
        m->job = JOB_SENT;
        manager_expect(m);
        r = wait_job(m, deadline, reterr);
        return r < 0 && manager_is_no_such_unit(m->job_error_name) ? 0 : r;
}

int manager_stop_unit(Manager *m, UnitRef unit, uint64_t deadline, Error *reterr) {
        _cleanup_error_ Error error = {};
        uint64_t patience = MIN(deadline, now_usec() + FROZEN_USEC);
        int r;

        r = stop_unit(m, unit, deadline, &error);
        while (r < 0 && manager_is_away(r, m->job_error_name) && now_usec() < deadline) {
                error_done(&error);
                r = manager_reconnect(m, &error);
                if (r == 0)
                        r = stop_unit(m, unit, deadline, &error);
        }
        while (r < 0 && streq_null(m->job_result, "frozen") && now_usec() < patience) {
                error_done(&error);
                (void) manager_freeze_unit(m, unit, false, NULL);
                (void) loop_sleep(FROZEN_LOOK_USEC);
                r = stop_unit(m, unit, deadline, &error);
        }
        return r < 0 ? error_setf(reterr, error.code, "cannot stop %s: %s", unit.name, error.message) : 0;
}
