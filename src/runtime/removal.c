/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/removal.h"

#include <errno.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "basic/loop.h"
#include "steps/steps.h"

/* What was kept by version 1 may be unreadable by now: that keeps nobody from removing it. */
static void complete(Container *c) {
        _cleanup_error_ Error error = {};

        if (container_complete(c, &error) < 0)
                log_message(LOG_WARNING, "%s", error.message);
}

int removal_run(const Runtime *rt, Container *c, Manager **m, Error *reterr) {
        StepContext context = { .rt = rt, .container = c, .manager = m ? TAKE_PTR(*m) : NULL,
                                .interrupt = loop_interrupt(-EBADF) };
        _cleanup_operation_ Operation operation = { .kinds = step_kinds, .context = &context };
        _cleanup_launch_plan_ LaunchPlan plan = {};
        int r;

        complete(c);
        launch_plan_remove(&c->record, container_is_of_this_boot(c), &plan);
        r = operation_run(&operation, &plan, reterr);
        (void) manager_close(context.manager);
        (void) loop_interrupt(context.interrupt);
        return r;
}
