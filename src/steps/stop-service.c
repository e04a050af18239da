/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/log.h"
#include "host/service.h"
#include "steps/steps.h"

static int run(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        const char *name = step->stop_service.name;
        StepContext *c = context;
        _cleanup_(arena_done) Arena a = {};
        Manager *m;
        int r;

        r = step_manager(c, &m, reterr);
        if (r == 0)
                r = service_is_of(m, name, c->rt->root, c->container->id, reterr);
        if (r > 0)
                r = service_remove(m, name, record_end_unit(&c->container->record, &a), reterr);
        if (r == 0)
                log_info("service %s: stopped", name);
        return r;
}

const StepKind step_stop_service = { .run = run };
