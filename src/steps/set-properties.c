/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "steps/steps.h"

static int run(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        StepContext *c = context;
        Manager *m;
        int r = step_manager(c, &m, reterr);

        unit_properties_use(&c->properties, step->set_properties.properties);
        return r < 0 ? r : manager_set_properties(m, record_unit(&c->container->record), &c->properties, reterr);
}

const StepKind step_set_properties = { .run = run };
