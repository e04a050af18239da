/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "basic/fd.h"
#include "host/device-filter.h"
#include "steps/steps.h"

/* Who may not ask for it may not put one there either, which is what fails then. */
static int save(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        StepContext *c = context;

        c->filter = device_filter_find(c->cgroup);
        return 0;
}

/* In the place of whatever is there now; if it is not known what was, it still is. */
static void put_back(void *context, const LaunchStep *step, void *kept) {
        const StepContext *c = context;
        _cleanup_close_ int now = device_filter_find(c->cgroup);

        if (c->filter >= 0 || c->filter == -ENOENT)
                (void) device_filter_replace(c->cgroup, now, c->filter);
}

const StepKind step_save_filter = { save, put_back };

static int run(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        const UnitPlan *unit = step->filter_devices.rules;
        const StepContext *c = context;
        _cleanup_close_ int new = -EBADF;
        int r;

        if (unit->n_rules > 0) {
                r = new = device_filter_load(unit, reterr);
                if (r < 0)
                        return r;
        }
        r = device_filter_replace(c->cgroup, c->filter, new);
        return r < 0 ? error_errnof(reterr, r, "%s: cannot filter devices",
                                    unit->rules_path ?: "linux.resources.devices")
                     : 0;
}

const StepKind step_filter_devices = { .run = run };
