/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "basic/log.h"
#include "basic/loop.h"
#include "steps/hooks.h"
#include "steps/steps.h"

static int run(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        const StepContext *c = context;
        const Record *record = &c->container->record;
        const Spec spec = record_spec(record);
        const HookState state = { .caller = &c->rt->caller, .spec = &spec, .id = record->id, .bundle = record->bundle,
                                  .status = "stopped" };
        _cleanup_error_ Error error = {};

        (void) loop_interrupt(c->interrupt);
        if (hooks_run(&state, HOOK_POSTSTOP, &step->poststop.hooks, &error) < 0)
                log_message(LOG_WARNING, "%s", error.message);
        (void) loop_interrupt(-EBADF);
        return 0;
}

const StepKind step_poststop = { .run = run };
