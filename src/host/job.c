/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/job.h"

#include <errno.h>

#include "basic/fd.h"
#include "basic/str.h"

void job_done(Job *job) {
        if (job->manager)
                manager_remove_job(job->manager, job);
        free(job->path);
        free(job->systemd);
        free(job->refusal);
        free(job->words);
        free(job->result);
        *job = (Job){};
}

static int on_answer(sd_bus_message *message, void *userdata, sd_bus_error *unused) {
        const char *path;
        Job *job = userdata;

        if (sd.bus_message_is_method_error(message, NULL)) {
                const sd_bus_error *e = sd.bus_message_get_error(message);

                job->refusal = xstrdup(e->name ?: "");
                job->words = xstrdup(e->message ?: e->name ?: "unknown error");
        } else if (sd.bus_message_read(message, "o", &path) >= 0) {
                job->path = xstrdup(path);
                job->systemd = xstrdup(sd.bus_message_get_sender(message) ?: "");
        }
        return 0;
}

int job_begin(Job *job, Manager *m, const Question *q, Error *reterr) {
        int r;

        job_done(job);
        manager_add_job(m, job);
        r = manager_send(m, q, on_answer, job, &job->request, reterr);
        if (r < 0)
                job_done(job);
        else
                manager_expect(m, &job->patience);
        return r;
}

static JobState state_of(const Job *job) {
        if (job->lost)
                return JOB_LOST;
        if (job->refusal)
                return JOB_REFUSED;
        if (!job->result)
                return job->path ? JOB_QUEUED : JOB_SENT;
        return streq(job->result, "done") ? JOB_DONE : JOB_FAILED;
}

int job_dispatch(Job *job, Error *reterr) {
        int r = manager_process(job->manager);

        if (r < 0)
                return error_errnof(reterr, r, "lost the connection to systemd");
        if (!job->lost && manager_is_away(0, job->refusal))
                manager_lose(job->manager);
        return (int) state_of(job);
}

/* What is queued has been heard, and may have to wait for other jobs. */
uint64_t job_wait_until(Job *job, uint64_t deadline) {
        return state_of(job) == JOB_SENT ? patience_until(&job->patience, deadline) : deadline;
}

int job_give_up(const Job *job, Error *reterr) {
        if (state_of(job) == JOB_SENT)
                return manager_silence(job->manager, reterr);
        return error_setf(reterr, ETIMEDOUT, "systemd did not finish the job in time");
}

int job_wait(Job *job, JobState last, uint64_t deadline, Error *reterr) {
        for (;;) {
                int r = job_dispatch(job, reterr);
                uint64_t until;

                if (r < 0 || r > (int) last)
                        return r;
                until = job_wait_until(job, deadline);
                if (now_usec() >= until)
                        return job_give_up(job, reterr);
                r = manager_wait(job->manager, until);
                if (r < 0)
                        return error_errnof(reterr, r, "lost the connection to systemd");
        }
}
