/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/log.h"
#include "host/service.h"
#include "steps/service-outcome.h"
#include "steps/steps.h"

static int run(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        StepContext *c = context;
        const char *name = step->start_service.name;
        _cleanup_error_ Error error = {};
        Manager *m;
        int r;

        r = step_manager(c, &m, reterr);
        if (r < 0)
                return r;
        unit_properties_use(&c->properties, c->unit);
        container_unlock(c->container);
        log_info("service %s: asked of systemd, in %s", name, step->start_service.slice);
        (void) service_start(m, &c->properties, &error);
        return service_outcome(c->store, c->container, name, &error, &c->launch.pid, reterr);
}

static bool is_ours(const StepContext *c, Manager *m, const char *name) {
        const char *of = c->container->of, *root = c->rt->root;

        return (of ? service_is_of_session(m, name, root, of, c->id, NULL)
                   : service_is_of(m, name, root, c->id, NULL)) > 0;
}

static void undo(void *context, const LaunchStep *step, void *kept) {
        StepContext *c = context;
        Manager *m;

        if (step_manager(c, &m, NULL) == 0 && is_ours(c, m, step->start_service.name))
                (void) service_remove(m, step->start_service.name, c->unit->end->name, NULL);
}

const StepKind step_start_service = { run, undo };
