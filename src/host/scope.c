/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/scope.h"

#include <errno.h>

#include "basic/fd.h"
#include "basic/loop.h"
#include "basic/str.h"
#include "host/cgroup.h"
#include "host/job.h"
#include "host/unit-calls.h"

/* systemd does not stop what it has frozen, and does not thaw what is in a frozen slice; but it forgets a scope without
 * processes, frozen or not, and for that it gets this much time. */
#define FROZEN_USEC 2000000
#define FROZEN_LOOK_USEC 10000

/* A job that systemd had before it began again needs no more than this. */
#define ARRIVAL_USEC 5000000
#define ARRIVAL_LOOK_USEC 10000

#define UNIT_EXISTS "org.freedesktop.systemd1.UnitExists"

/* --- to start --------------------------------------------------------------------------------------------------- */

void scope_done(Scope *s) {
        job_done(&s->job);
}

static int append_start(sd_bus_message *message, const void *arguments) {
        const Scope *s = arguments;

        return marshal_start_scope(message, s->properties->plan, s->properties->dropped, &s->process);
}

/* The job that it has already is ours then. */
static int append_name(sd_bus_message *message, const void *arguments) {
        const Scope *s = arguments;

        return sd.bus_message_append(message, "ss", s->properties->plan->name, "replace");
}

static int send_start(Scope *s, Manager *m, Error *reterr) {
        const Question make = { MANAGER_OBJECT, MANAGER_INTERFACE, "StartTransientUnit", append_start, s };
        const Question join = { MANAGER_OBJECT, MANAGER_INTERFACE, "StartUnit", append_name, s };
        const Question q = s->exists ? join : make;
        int r = job_begin(&s->job, m, &q, reterr);

        return r < 0 ? error_errnof(reterr, r, "cannot ask systemd for scope %s", s->properties->plan->name) : 0;
}

int scope_start(Scope *s, Manager *m, UnitProperties *properties, pid_t pid, int pidfd, Error *reterr) {
        scope_done(s);
        *s = (Scope){ .properties = properties, .process = { .pid = pid, .pidfd = pidfd }, .asked = now_usec(),
                      .deadline = pid > 0 ? now_usec() + MANAGER_TIMEOUT_USEC : UINT64_MAX };
        return send_start(s, m, reterr);
}

static bool has_arrived(const Scope *s) {
        _cleanup_free_ char *path = NULL;

        return cgroup_of_pid(s->process.pid, &path) == 0 &&
               cgroup_belongs_to_unit(path, s->properties->plan->slice, s->properties->plan->name);
}

/* Does the scope exist because systemd has heard the request that was sent before the connection was lost? Then our
 * process is in it, or will be. */
static bool exists_by_us(const Scope *s) {
        uint64_t deadline = now_usec() + ARRIVAL_USEC;

        if (!s->was_lost || s->process.pid <= 0 || !streq(s->job.refusal, UNIT_EXISTS))
                return false;
        while (!has_arrived(s))
                if (now_usec() >= deadline || loop_sleep(ARRIVAL_LOOK_USEC) < 0)
                        return false;
        return true;
}

/* After a refusal: is something left out or cleared away now, so that it can be asked for again? */
static bool give_in(Scope *s) {
        const Job *job = &s->job;

        if (s->process.pidfd >= 0 && unit_property_is_refused("PIDFDs", job->refusal, job->words)) {
                s->process.pidfd = -EBADF;
                return true;
        }
        if (unit_properties_drop(s->properties, job->refusal, job->words))
                return true;
        if (s->was_lost && s->process.pid <= 0 && !s->exists && streq(job->refusal, UNIT_EXISTS))
                return s->exists = true;
        if (s->was_reset || !streq(job->refusal, UNIT_EXISTS))
                return false;
        s->was_reset = true;
        (void) manager_reset_failed(job->manager, s->properties->plan->name, NULL);
        return true;
}

static void explain_exists(const Manager *m, const char *name, Error *reterr) {
        const char *user = manager_is_users(m) ? "--user " : "";

        (void) error_suffixf(reterr, " (systemctl %sstatus %s shows whose it is, and", user, name);
        (void) error_suffixf(reterr, " systemctl %sstop %s ends it; its name is of the ID or linux.cgroupsPath)", user,
                             name);
}

static int hear_refusal(Scope *s, Error *reterr) {
        const Job *job = &s->job;
        bool exists;
        int r;

        if (exists_by_us(s))
                return 1;
        if (give_in(s))
                return send_start(s, job->manager, reterr);
        r = unit_properties_explain(s->properties, job->manager, job->refusal, job->words, reterr);
        if (r < 0)
                return r;
        exists = streq(job->refusal, UNIT_EXISTS);
        r = error_setf(reterr, exists ? EEXIST : EREMOTEIO, "systemd refused %s: %s", s->properties->plan->name,
                       job->words);
        if (exists)
                explain_exists(job->manager, s->properties->plan->name, reterr);
        return r;
}

/* The connection is lost, and nobody knows whether systemd has heard the request: it is sent again. */
static int start_again(Scope *s, Error *reterr) {
        if (now_usec() >= s->deadline)
                return error_setf(reterr, ETIMEDOUT, "lost the connection to systemd while it made scope %s",
                                  s->properties->plan->name);
        s->was_lost = true;
        return send_start(s, s->job.manager, reterr);
}

int scope_dispatch(Scope *s, Error *reterr) {
        const char *name = s->properties->plan->name;
        int r = job_dispatch(&s->job, reterr);

        if (r == JOB_REFUSED)
                return hear_refusal(s, reterr);
        if (r == JOB_LOST)
                return start_again(s, reterr);
        if (r == JOB_FAILED)
                return error_setf(reterr, EREMOTEIO, "systemd's job for %s ended with \"%s\"", name, s->job.result);
        return r < 0 ? r : r == JOB_DONE;
}

uint64_t scope_wait_until(Scope *s) {
        return job_wait_until(&s->job, s->deadline);
}

int scope_give_up(const Scope *s, Error *reterr) {
        return job_give_up(&s->job, reterr);
}

/* --- to stop ---------------------------------------------------------------------------------------------------- */

void scope_abandon(Scope *s, const char *invocation, uint64_t deadline) {
        Manager *m = s->job.manager;
        int state = m ? job_wait(&s->job, JOB_SENT, deadline, NULL) : -ENOTCONN;

        if (state == JOB_QUEUED || state == JOB_DONE || state == JOB_FAILED)
                (void) manager_stop_unit(m, (UnitRef){ s->properties->plan->name, invocation }, deadline, NULL);
}

static int append_mode(sd_bus_message *message, const void *mode) {
        return sd.bus_message_append(message, "s", (const char *) mode);
}

/* Once: how the job ended. */
static int stop(Manager *m, UnitRef unit, uint64_t deadline, Job *job, Error *reterr) {
        _cleanup_free_ char *object = unit_object(unit);
        const Question q = { object, UNIT_INTERFACE, "Stop", append_mode, "replace" };
        int r = job_begin(job, m, &q, reterr);

        if (r < 0)
                return error_errnof(reterr, r, "cannot ask systemd");
        return job_wait(job, JOB_QUEUED, deadline, reterr);
}

static int not_stopped(const char *unit, const Job *job, Error *reterr) {
        const char *why = job->words ?: "the connection to systemd was lost";

        if (job->result)
                return error_setf(reterr, EREMOTEIO, "cannot stop %s: its job ended with \"%s\"", unit, job->result);
        return error_setf(reterr, EREMOTEIO, "cannot stop %s: %s", unit, why);
}

int manager_stop_unit(Manager *m, UnitRef unit, uint64_t deadline, Error *reterr) {
        uint64_t patience = MIN(deadline, now_usec() + FROZEN_USEC);
        _cleanup_job_ Job job = {};

        for (;;) {
                int r = stop(m, unit, deadline, &job, reterr);

                if (r < 0)
                        return error_prefixf(reterr, "cannot stop %s", unit.name);
                if (r == JOB_DONE || (r == JOB_REFUSED && unit_is_unknown(job.refusal)))
                        return 0;
                if (r == JOB_FAILED && streq(job.result, "frozen") && now_usec() < patience) {
                        (void) manager_freeze_unit(m, unit, false, NULL);
                        (void) loop_sleep(FROZEN_LOOK_USEC);
                } else if (r != JOB_LOST || now_usec() >= deadline)
                        return not_stopped(unit.name, &job, reterr);
        }
}
