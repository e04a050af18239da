/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/loop.h"
#include "steps/hooks.h"
#include "steps/steps.h"

static int run(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        return 0;
}

/* Hooks that were run, and a container that was created, are followed by those of its end (runtime.md, "Lifecycle"). */
static void undo(void *context, const LaunchStep *step, void *kept) {
        const StepContext *c = context;
        const HookState state = { .caller = &c->rt->caller, .spec = c->spec, .id = c->id, .bundle = c->bundle,
                                  .status = "stopped" };

        if (!operation_has_begun(c->operation, LAUNCH_RUNTIME_HOOKS) && !operation_has_begun(c->operation, LAUNCH_COMMIT))
                return;
        (void) loop_interrupt(c->interrupt);
        (void) hooks_run(&state, HOOK_POSTSTOP, &step->end_hooks.hooks, NULL);
        (void) loop_interrupt(-EBADF);
}

const StepKind step_end_hooks = { run, undo };
