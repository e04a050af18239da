/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "basic/file.h"
#include "basic/log.h"
#include "basic/moment.h"
#include "host/end.h"
#include "host/process.h"
#include "plan/init/build.h"
#include "steps/steps.h"

/* Write-ahead: enough to find and undo everything that comes after it. */
static int write_record(const StepContext *c, Error *reterr) {
        Record *record = &c->container->record;
        _cleanup_free_ char *boot = boot_id();
        Arena *a = &record->arena;
        int r;

        if (!boot)
                return error_errnof(reterr, errno, "cannot read the id of this boot");
        *record = (Record){
                .created = c->created ?: moment_now(a),
                .owner = c->rt->caller.uid,
                .boot_id = arena_strdup(a, boot),
                .user_manager = c->rt->facts.rootless,
                .notifies = init_plan_comes_to(c->init, INIT_NOTIFY, INIT_GATE),
                .keyring = c->keyring,
                .kept = c->kept,
                .waits = c->again.waits,
                .no_pivot = c->again.no_pivot,
                .restart = c->again.restart,
                .stop_timeout = c->again.stop_timeout,
                .properties = c->again.properties,
                .arena = record->arena,
        };
        record_plan(record, c->id, c->bundle, c->spec, c->unit, c->rdt);
        if (record->kept)
                end_expect(c->container);
        r = container_save(c->container, reterr); /* first: a config.json without a record is a bundle */
        if (r < 0)
                return r;
        r = write_file_atomic_at(c->container->dir, "config.json", c->config, c->config_size, 0600);
        return r < 0 ? error_errnof(reterr, r, "cannot keep a copy of config.json of container %s", c->id) : 0;
}

static int run(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        const StepContext *c = context;
        int r = container_create(c->store, c->id, c->container, reterr);

        if (r < 0)
                return r;
        log_debug("container %s: remembered in %s", c->id, c->rt->root);
        return write_record(c, reterr);
}

static void undo(void *context, const LaunchStep *step, void *kept) {
        const StepContext *c = context;

        /* Of its own service that is done by who is called for the end, who has to know why. */
        if (c->container->dir >= 0 && c->container->record.home != HOME_IN_SERVICE)
                (void) container_remove(c->container, NULL);
}

const StepKind step_remember = { run, undo };
