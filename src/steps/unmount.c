/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "basic/log.h"
#include "steps/rootfs.h"
#include "steps/steps.h"

static int run(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        const StepContext *c = context;

        rootfs_unmount(c->rt, c->container);
        return 0;
}

const StepKind step_unmount = { .run = run };
