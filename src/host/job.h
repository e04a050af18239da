/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/manager-internal.h"

/* Something that systemd is asked for and makes a job of: from the request to JobRemoved. */

typedef enum JobState {
        JOB_SENT,
        JOB_QUEUED,
        /* It has ended: */
        JOB_DONE,
        JOB_FAILED,     /* as its result says */
        JOB_REFUSED,    /* as its refusal and words say */
        JOB_LOST,       /* with the connection: nobody knows whether systemd has heard of it */
} JobState;

void job_done(Job *job);
#define _cleanup_job_ _cleanup_(job_done)

/* Asks for it, in place of what it was before. */
int job_begin(Job *job, Manager *m, const Question *q, Error *reterr);
/* Takes in what has come: its state now. */
int job_dispatch(Job *job, Error *reterr);
/* Waits as long as it is in this state or in one before: the state that ended that. -ETIMEDOUT. */
int job_wait(Job *job, JobState last, uint64_t deadline, Error *reterr);

/* Until when it is to be waited for; later, each time, for a systemd that is seen at work. */
uint64_t job_wait_until(Job *job, uint64_t deadline);
/* Then: what has not been answered, or not been done. */
int job_give_up(const Job *job, Error *reterr);
