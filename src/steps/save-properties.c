/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "steps/steps.h"

static int run(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        StepContext *c = context;
        Manager *m;
        int r = step_manager(c, &m, reterr);

        unit_properties_use(&c->properties, step->save_properties.properties);
        return r < 0 ? r : manager_save_properties(m, record_unit(&c->container->record), &c->properties, reterr);
}

static void set_back(void *context, const LaunchStep *step, void *kept) {
        const StepContext *c = context;

        if (c->manager)
                (void) manager_restore_properties(c->manager, record_unit(&c->container->record), &c->properties, NULL);
}

const StepKind step_save_properties = { run, set_back };
