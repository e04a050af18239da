/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>

#include "basic/fd.h"
#include "basic/loop.h"
#include "host/process.h"
#include "steps/ending.h"
#include "steps/steps.h"

/* Who should collect it may never do so. */
static int run(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        uint64_t deadline = now_usec() + ENDING_PASSING_USEC;
        const StepContext *c = context;
        const Record *record = &c->container->record;
        _cleanup_close_ int pidfd = process_open(step->end_request.pid, record->start_time);
        ProcessStat stat;

        if (pidfd >= 0)
                (void) process_signal(pidfd, SIGKILL);
        while (process_stat(step->end_request.pid, &stat) == 0 && stat.start_time == record->start_time &&
               now_usec() < deadline)
                (void) loop_sleep(ENDING_LOOK_USEC);
        return 0;
}

const StepKind step_end_request = { .run = run };
