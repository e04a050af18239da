/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "basic/log.h"
#include "basic/loop.h"
#include "steps/hooks.h"
#include "steps/steps.h"

static int run(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        const StepContext *c = context;
        const Record *record = &c->container->record;
        const HookState state = { .id = record->id, .bundle = record->bundle, .status = "stopped" };
        const Spec spec = record_spec(record);
        _cleanup_error_ Error error = {};

        (void) loop_interrupt(c->interrupt);
        if (hooks_run(&c->rt->caller, &spec, HOOK_POSTSTOP, &state, &error) < 0)
                log_message(LOG_WARNING, "%s", error.message);
        (void) loop_interrupt(-EBADF);
        return 0;
}

const StepKind step_poststop = { .run = run };
