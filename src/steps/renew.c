/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/end.h"
#include "steps/steps.h"

static int run(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        StepContext *c = context;
        Record *record = &c->container->record;

        end_expect(c->container);
        record->committed = false;
        record->started = NULL;
        record->pid = 0;
        record->start_time = 0;
        record->cgroup = NULL;
        record->cgroup_id = 0;
        record->invocation_id = NULL;
        record->mount_id = 0;
        record->keyring = c->keyring;
        return container_save(c->container, reterr);
}

const StepKind step_renew = { .run = run };
