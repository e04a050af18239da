/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/service.h"

#include <errno.h>

#include "basic/fd.h"
#include "basic/str.h"
#include "host/job.h"
#include "host/manager-internal.h"
#include "host/scope.h"
#include "host/unit-calls.h"

/* A systemd that has executed itself anew meanwhile is another one on the bus, and what it says of our job does not count. */
#define LOOK_USEC UINT64_C(5000000)

/* Besides, for what systemd has to do. */
#define STOP_USEC UINT64_C(60000000)

static int is_in_state(Manager *m, const char *name, const char *const *states, Error *reterr) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        const char *state = "";
        int r = manager_get_unit_property(m, (UnitRef){ .name = name }, "ActiveState", &reply, reterr);

        if (r >= 0)
                r = sd.bus_message_read(reply, "v", "s", &state);
        if (r < 0)
                return error_errnof(reterr, r, "systemd does not say in which state %s is", name);
        while (*states && !streq(state, *states))
                states++;
        return *states != NULL;
}

static bool is_starting(Manager *m, const char *name) {
        static const char *const states[] = { "activating", NULL };

        return is_in_state(m, name, states, NULL) != 0;
}

static int wait_for(Scope *s, Manager *m, Error *reterr) {
        int r = 0;

        while (r >= 0 && (r = scope_dispatch(s, reterr)) == 0) {
                uint64_t until = scope_wait_until(s), look = now_usec() + LOOK_USEC;

                if (now_usec() >= until)
                        return scope_give_up(s, reterr);
                r = manager_wait(m, MIN(until, look));
                if (r < 0)
                        return error_passf(reterr, r, "%s", errno_text(r));
                if (now_usec() >= look && until == UINT64_MAX && !is_starting(m, s->properties->plan->name))
                        return 0; /* who has asked sees what has become of it */
        }
        return MIN(r, 0);
}

int service_start(Manager *m, UnitProperties *properties, Error *reterr) {
        Scope s = {};
        int r = scope_start(&s, m, properties, 0, -EBADF, reterr);

        if (r == 0)
                r = wait_for(&s, m, reterr);
        scope_done(&s);
        return r;
}

/* --- once more -------------------------------------------------------------------------------------------------- */

static int append_name(sd_bus_message *message, const void *name) {
        return sd.bus_message_append(message, "ss", (const char *) name, "replace");
}

static bool is_on_its_way(Manager *m, const char *name) {
        static const char *const states[] = { "activating", "deactivating", "reloading", NULL };

        return is_in_state(m, name, states, NULL) != 0;
}

/* How the job ended, a JobState. */
static int wait_for_job(Manager *m, Job *job, const char *name, Error *reterr) {
        int r = job_wait(job, JOB_SENT, now_usec() + MANAGER_TIMEOUT_USEC, reterr);

        while (r == JOB_QUEUED) {
                r = job_wait(job, JOB_QUEUED, now_usec() + LOOK_USEC, NULL);
                if (r == -ETIMEDOUT) /* as in wait_for() */
                        r = is_on_its_way(m, name) ? JOB_QUEUED : JOB_DONE;
        }
        return r < 0 ? error_passf(reterr, r, "%s", errno_text(r)) : r;
}

static int not_started(Manager *m, const char *name, const Job *job, Error *reterr) {
        _cleanup_(arena_done) Arena a = {};
        const char *result, *user = manager_is_users(m) ? "--user " : "";

        if (job->refusal)
                return error_setf(reterr, EREMOTEIO, "systemd refused to start %s: %s", name, job->words);
        error_setf(reterr, EREMOTEIO, "systemd's job for %s ended with \"%s\"", name, job->result);
        result = manager_get_text(m, (UnitRef){ .name = name }, "Result", true, &a);
        if (result && !streq(result, "success"))
                (void) error_suffixf(reterr, ": %s", result);
        if (streq_null(result, "start-limit-hit"))
                return error_suffixf(reterr, " (it was started too often: systemctl %sreset-failed %s)", user, name);
        return error_suffixf(reterr, " (systemctl %sstatus %s)", user, name);
}

/* It starts nothing of which it takes the processes for frozen, though these may be gone, with the thaw that was ours; and
 * thaws nothing without processes, but forgets that together with how those ended. */
static bool give_in(Manager *m, const char *name, const Job *job, bool *thawed) {
        if (*thawed || !streq_null(job->result, "frozen"))
                return false;
        *thawed = true;
        return manager_freeze_unit(m, (UnitRef){ .name = name }, false, NULL) == 0 ||
               manager_reset_failed(m, name, NULL) == 0;
}

/* Where its processes ended while they were frozen, systemd 252 takes the next ones for that, too. */
static void thaw_new(Manager *m, const char *name) {
        const UnitRef unit = { .name = name };
        _cleanup_(arena_done) Arena a = {};

        if (streq_null(manager_get_text(m, unit, "FreezerState", false, &a), "frozen"))
                (void) manager_freeze_unit(m, unit, false, NULL);
}

static int start_known(Manager *m, const char *name, bool restart, Error *reterr) {
        const Question q = { MANAGER_OBJECT, MANAGER_INTERFACE, restart ? "RestartUnit" : "StartUnit", append_name,
                             name };
        _cleanup_job_ Job job = {};
        bool thawed = false;
        int r;

        do {
                r = job_begin(&job, m, &q, reterr);
                if (r < 0)
                        return error_prefixf(reterr, "cannot start %s", name);
                r = wait_for_job(m, &job, name, reterr);
        } while (r == JOB_LOST || (r == JOB_FAILED && give_in(m, name, &job, &thawed))); /* its job is ours then */
        return r < 0 || r == JOB_DONE ? MIN(r, 0) : not_started(m, name, &job, reterr);
}

int service_start_known(Manager *m, const char *name, bool restart, Error *reterr) {
        int r = start_known(m, name, restart, reterr);

        if (r == 0)
                thaw_new(m, name);
        return r;
}

/* --- whose it is ------------------------------------------------------------------------------------------------ */

/* What a unit says of a command of ours: "PROGRAM [--root ROOT] service-start … ID", or "… service-start ID SESSION". */
typedef struct Words {
        const char *root, *last;
        const char *before; /* the last */
        const char *id;     /* of a session's */
        bool starts;
} Words;

static void take_word(Words *w, const char *word) {
        if (streq_null(w->last, "--root"))
                w->root = word;
        if (w->before && streq(w->before, "service-start") && w->last[0] != '-')
                w->id = w->last;
        w->before = w->last;
        w->starts = w->starts || streq(word, "service-start");
        w->last = word;
}

/* a(sasbttttuii): the first command. The words are the reply's. */
static int read_command(sd_bus_message *reply, Words *ret) {
        const char *path, *word;
        int r;

        r = sd.bus_message_enter_container(reply, 'v', "a(sasbttttuii)");
        if (r >= 0)
                r = sd.bus_message_enter_container(reply, 'a', "(sasbttttuii)");
        if (r >= 0)
                r = sd.bus_message_enter_container(reply, 'r', "sasbttttuii");
        if (r <= 0)
                return r;
        r = sd.bus_message_read(reply, "s", &path);
        if (r >= 0)
                r = sd.bus_message_enter_container(reply, 'a', "s");
        while (r >= 0 && (r = sd.bus_message_read(reply, "s", &word)) > 0)
                take_word(ret, word);
        return r;
}

/* 0 or 1; session NULL: of the container itself. */
static int starts(Manager *m, const char *name, const char *root, const char *id, const char *session, Error *reterr) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        Words words = {};
        int r = manager_get_property(m, (UnitRef){ .name = name }, "ExecStart", &reply, reterr);

        if (r < 0)
                return r;
        r = read_command(reply, &words);
        if (r < 0)
                return error_errnof(reterr, r, "systemd does not say what %s runs", name);
        return words.starts && streq_null(words.id, session ? id : NULL) && streq(words.last, session ?: id) &&
               (!words.root || streq(words.root, root));
}

int service_is_of(Manager *m, const char *name, const char *root, const char *id, Error *reterr) {
        return starts(m, name, root, id, NULL, reterr);
}

int service_is_of_session(Manager *m, const char *name, const char *root, const char *id, const char *session,
                          Error *reterr) {
        return starts(m, name, root, id, session, reterr);
}

int service_has_ended(Manager *m, const char *name, const char *root, const char *id, Error *reterr) {
        static const char *const states[] = { "inactive", "failed", NULL };
        int r = service_is_of(m, name, root, id, reterr);

        return r <= 0 ? (r < 0 ? r : 1) : is_in_state(m, name, states, reterr);
}

int service_begins_again(Manager *m, const char *name) {
        static const char *const states[] = { "activating", "active", NULL };
        _cleanup_message_ sd_bus_message *reply = NULL;
        const char *object;
        uint32_t job = 0;
        int r = manager_get_unit_property(m, (UnitRef){ .name = name }, "Job", &reply, NULL);

        if (r >= 0)
                r = sd.bus_message_read(reply, "v", "(uo)", &job, &object);
        return r < 0 ? r : job != 0 || is_in_state(m, name, states, NULL) > 0;
}

int service_stop_timeout(Manager *m, const char *name, uint64_t *ret, Error *reterr) {
        return manager_get_u64(m, (UnitRef){ .name = name }, "TimeoutStopUSec", ret, reterr);
}

/* A command may have that time, and after it a signal. */
static int stop_unit(Manager *m, const char *name, Error *reterr) {
        uint64_t timeout, usec;
        int r = service_stop_timeout(m, name, &timeout, reterr);

        if (r < 0)
                return r;
        usec = timeout > (UINT64_MAX - STOP_USEC) / 2 ? UINT64_MAX : 2 * timeout + STOP_USEC;
        return manager_stop_unit(m, (UnitRef){ .name = name }, deadline_in(usec), reterr);
}

int service_stop(Manager *m, const char *name, const char *end, Error *reterr) {
        int r = stop_unit(m, name, reterr);

        /* If it has been started we wait for just that; if it has ended and is there still, it does nothing any more. */
        if (r == 0)
                (void) start_known(m, end, false, NULL);
        return r;
}

int service_remove(Manager *m, const char *name, const char *end, Error *reterr) {
        int r = service_stop(m, name, end, reterr);

        if (r == 0)
                (void) manager_reset_failed(m, name, NULL); /* it may be gone */
        return r;
}
