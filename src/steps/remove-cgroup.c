/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "steps/ending.h"
#include "steps/steps.h"

static int run(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        return ending_remove_cgroup(((const StepContext *) context)->container, reterr);
}

const StepKind step_remove_cgroup = { .run = run };
