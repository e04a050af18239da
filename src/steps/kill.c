/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/log.h"
#include "steps/ending.h"
#include "steps/steps.h"

static int run(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        const StepContext *c = context;
        int r = ending_kill(c->container, reterr);

        if (r == 0)
                log_debug("container %s: none of its processes runs", c->container->id);
        return r;
}

const StepKind step_kill = { .run = run };
