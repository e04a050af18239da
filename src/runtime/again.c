/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/again.h"

#include <errno.h>

#include "basic/log.h"
#include "host/end.h"
#include "host/process.h"
#include "host/service.h"
#include "steps/service-outcome.h"

/* It is not to wait for `start`, and belongs to this boot from now on. */
static int note_start(Container *c, Error *reterr) {
        Record *record = &c->record;
        _cleanup_free_ char *boot = boot_id();

        if (!boot)
                return error_errnof(reterr, errno, "cannot read the id of this boot");
        end_forget_failure(c);
        if (!record->waits && c->of_this_boot)
                return 0;
        record->waits = false;
        record->boot_id = arena_strdup(&record->arena, boot);
        return container_save(c, reterr);
}

/* As `create` has made it. */
static int plan_unit(const Runtime *rt, Container *c, const char *program, UnitPlan *ret, Error *reterr) {
        const Record *record = &c->record;
        const Request request = {
                .id = c->id,
                .bundle = record->bundle,
                .supervision = { .program = program, .root = rt->root, .restart = record->restart,
                                 .stop_timeout = record->stop_timeout, .properties = record->properties },
        };
        HostFacts facts = rt->facts;
        Spec *config;
        int r;

        if (!program)
                return error_setf(reterr, EOPNOTSUPP, "there is no program for systemd to call");
        facts.rootless = record->user_manager;
        r = container_read_config(c, &config, reterr);
        if (r == 0)
                r = unit_plan_build(config, &request, &facts, ret, reterr);
        if (r < 0 || streq_null(ret->name, record->unit))
                return r;
        return error_setf(reterr, EBUSY, "cannot start container %s: systemd does not know %s", c->id, record->unit);
}

static int start_anew(const Runtime *rt, Container *c, const char *program, Manager *m, Error *reterr) {
        _cleanup_(unit_plan_done) UnitPlan plan = {};
        UnitProperties properties = {};
        int r = plan_unit(rt, c, program, &plan, reterr);

        if (r < 0)
                return r;
        unit_properties_use(&properties, &plan);
        r = service_start(m, &properties, reterr);
        unit_properties_done(&properties);
        return r;
}

typedef struct Attempt {
        const Runtime *rt;
        Container *container;
        const char *program;
        bool restart;
        Manager *manager;
} Attempt;

static int is_known(const Attempt *a, Error *reterr) {
        return service_is_of(a->manager, a->container->record.unit, a->rt->root, a->container->id, reterr);
}

static int attempt(const Attempt *a, bool known, Error *reterr) {
        const char *name = a->container->record.unit;

        log_info("service %s: %s", name, known ? "asked of systemd, which knows it" : "asked of systemd anew");
        return known ? service_start_known(a->manager, name, a->restart, reterr)
                     : start_anew(a->rt, a->container, a->program, a->manager, reterr);
}

/* Others may be first to start it, and systemd may be about to forget it. */
static int start_service(const Attempt *a, Error *reterr) {
        int known = is_known(a, reterr), r;
        _cleanup_error_ Error error = {};

        if (known < 0)
                return known;
        r = attempt(a, known, &error);
        if (r < 0 && (known || error.kind == ERROR_EXISTS) && is_known(a, NULL) == !known)
                return attempt(a, !known, reterr);
        return r < 0 ? error_move(reterr, &error) : 0;
}

int again_start(const Runtime *rt, Container *c, const char *program, bool restart, Error *reterr) {
        Attempt a = { .rt = rt, .container = c, .program = program, .restart = restart };
        _cleanup_store_ Store store = { .fd = -EBADF };
        _cleanup_error_ Error error = {};
        pid_t pid = 0;
        int r = store_open(rt->root, &rt->caller, false, &store, reterr);

        if (r == 0)
                r = note_start(c, reterr);
        container_unlock(c); /* for who is called by systemd */
        if (r == 0)
                r = manager_open(&rt->caller, c->record.user_manager, &a.manager, reterr);
        if (r < 0)
                return r;
        (void) start_service(&a, &error);
        a.manager = manager_close(a.manager);
        r = service_outcome(&store, c, c->record.unit, &error, &pid, reterr);
        if (r == 0)
                log_info("container %s: the program runs, process %d", c->id, pid);
        return r;
}
