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
        StepContext context = STEP_CONTEXT_NONE;
        _cleanup_operation_ Operation operation = { .kinds = step_kinds, .context = &context };
        _cleanup_launch_plan_ LaunchPlan plan = {};
        int r;

        context.rt = rt;
        context.container = c;
        context.manager = m ? TAKE_PTR(*m) : NULL;
        context.interrupt = loop_interrupt(-EBADF);
        complete(c);
        launch_plan_remove(&c->record, c->of_this_boot, &plan);
        r = operation_run(&operation, &plan, reterr);
        (void) loop_interrupt(context.interrupt);
        step_context_done(&context);
        return r;
}

int removal_forget(const Runtime *rt, Container *c, Error *reterr) {
        c->record.home = HOME_CGROUP;
        c->record.hooks[HOOK_POSTSTOP].n = 0; /* they are run before its end is noted */
        return removal_run(rt, c, NULL, reterr);
}
