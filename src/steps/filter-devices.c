/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "basic/fd.h"
#include "host/device-filter.h"
#include "steps/steps.h"

static int run(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        const UnitPlan *unit = step->filter_devices.rules;
        _cleanup_close_ int new = -EBADF;
        StepContext *c = context;
        int r;

        r = c->filter = device_filter_find(c->cgroup);
        /* Where there is no BPF there is none of ours. */
        if (r < 0 && r != -ENOENT && unit->n_rules > 0)
                return error_errnof(reterr, r, "%s: cannot filter devices", unit->rules_path);
        if (unit->n_rules > 0) {
                r = new = device_filter_load(unit, reterr);
                if (r < 0)
                        return r;
        }
        r = device_filter_replace(c->cgroup, c->filter, new);
        return r < 0 ? error_errnof(reterr, r, "linux.resources.devices: cannot replace the filter of devices") : 0;
}

/* From whatever is there now; if it is not known what was, it still is. */
static void undo(void *context, const LaunchStep *step, void *kept) {
        const StepContext *c = context;
        _cleanup_close_ int now = device_filter_find(c->cgroup);

        if (c->filter >= 0 || c->filter == -ENOENT)
                (void) device_filter_replace(c->cgroup, now, c->filter);
}

const StepKind step_filter_devices = { .run = run, .undo = undo };
