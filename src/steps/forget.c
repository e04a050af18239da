/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/log.h"
#include "steps/steps.h"

static int run(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        const StepContext *c = context;
        int r = container_remove(c->container, reterr);

        if (r == 0)
                log_info("container %s: removed", c->container->id);
        return r;
}

const StepKind step_forget = { .run = run };
