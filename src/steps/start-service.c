/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "basic/log.h"
#include "host/end.h"
#include "host/service.h"
#include "steps/steps.h"

/* We were called by systemd meanwhile, and have written down why it went wrong. */
static int explain(StepContext *c, Error *error, Error *reterr) {
        _cleanup_(arena_done) Arena a = {};
        const char *why = end_read_failure(c->container, &a);

        return why ? error_setf(reterr, EIO, "%s", why) : error_move(reterr, error);
}

/* systemd is content as soon as there is a process. Who has made it lets go of the lock when that has executed its program. */
static int wait_for_program(StepContext *c, Error *reterr) {
        _cleanup_container_ Container now = { .dir = -EBADF };
        _cleanup_(arena_done) Arena a = {};
        int r = container_open(c->store, c->id, LOCK_WAIT, &now, reterr);
        const char *why = r == 0 ? end_read_failure(&now, &a) : NULL;

        if (r < 0 || why)
                return r < 0 ? r : error_setf(reterr, EIO, "%s", why);
        if (!now.record.committed)
                return error_setf(reterr, EIO, "service %s was not started", c->unit->name);
        c->launch.pid = now.record.pid;
        return 0;
}

static int run(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        StepContext *c = context;
        _cleanup_error_ Error error = {};
        Manager *m;
        int r;

        r = step_manager(c, &m, reterr);
        if (r < 0)
                return r;
        unit_properties_use(&c->properties, c->unit);
        container_unlock(c->container);
        log_info("service %s: asked of systemd, in %s", step->start_service.name, step->start_service.slice);
        r = service_start(m, &c->properties, &error);
        return r < 0 ? explain(c, &error, reterr) : wait_for_program(c, reterr);
}

static void undo(void *context, const LaunchStep *step, void *kept) {
        StepContext *c = context;
        Manager *m;

        if (step_manager(c, &m, NULL) == 0 && service_is_of(m, step->start_service.name, c->rt->root, c->id, NULL) > 0)
                (void) service_remove(m, step->start_service.name, NULL);
}

const StepKind step_start_service = { run, undo };
