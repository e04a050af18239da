/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/fd.h"
#include "host/resctrl.h"
#include "steps/steps.h"

static int run(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        const LaunchRemoveRdt *s = &step->remove_rdt;
        _cleanup_close_ int root = resctrl_open(NULL);

        if (root < 0) /* it was unmounted, and all groups with it */
                return 0;
        return s->monitor ? resctrl_remove_monitor(root, s->group, s->monitor, reterr) : resctrl_remove(root, s->group, reterr);
}

const StepKind step_remove_rdt = { .run = run };
