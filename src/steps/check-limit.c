/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "steps/limits.h"
#include "steps/steps.h"

static int run(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        const StepContext *c = context;

        return limits_check(step->check_limit.property, c->cgroup, c->container->record.user_manager, reterr);
}

const StepKind step_check_limit = { .run = run };
