/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "steps/limits.h"
#include "steps/steps.h"

static int run(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        return limits_verify(step->verify_limits.properties, ((const StepContext *) context)->cgroup, reterr);
}

const StepKind step_verify_limits = { .run = run };
