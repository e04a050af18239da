/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "basic/log.h"
#include "basic/str.h"
#include "host/cgroup.h"
#include "host/unit-calls.h"
#include "steps/steps.h"

/* The helper waits for it in our cgroup, and its uid is still ours, as systemd demands. */
static int attach(StepContext *c, Error *reterr) {
        const Record *record = &c->container->record;
        size_t of_unit = strlen(record->cgroup);
        _cleanup_free_ char *path = NULL;
        Manager *m;
        int r;

        if (record->home == HOME_IN_SERVICE)
                of_unit = (size_t) (strrchr(record->cgroup, '/') - record->cgroup);
        r = step_manager(c, &m, reterr);
        if (r == 0)
                r = manager_attach_process(m, record_unit(record), c->cgroup_path + of_unit, c->launch.pid, reterr);
        c->manager = manager_close(c->manager);
        if (r < 0)
                return r;
        return cgroup_of_pid(c->launch.pid, &path) == 0 && streq(path, c->cgroup_path)
                ? 0 : error_setf(reterr, EREMOTEIO, "systemd did not move the process into cgroup %s", c->cgroup_path);
}

/* A process of exec is born where it belongs. An ordinary user may not bring one there from a cgroup that is not below his
 * systemd's, as that of a login session, and asks for it. */
static int run(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        StepContext *c = context;
        _cleanup_error_ Error error = {};
        int r;

        if (step->spawn.marked)
                c->request.mark = container_mark(c->container);
        c->request.sibling = step->spawn.sibling;
        r = launch_spawn(&c->request, &c->launch, &error);
        if (r == -EACCES && c->request.cgroup >= 0 && c->container->record.user_manager) {
                c->request.cgroup = -EBADF;
                r = launch_spawn(&c->request, &c->launch, reterr);
                return r < 0 ? r : attach(c, reterr);
        }
        if (r < 0)
                return error_move(reterr, &error);
        log_info("container %s: the helper runs, process %d", c->id, c->launch.pid);
        return 0;
}

static void undo(void *context, const LaunchStep *step, void *kept) {
        StepContext *c = context;

        launch_kill(&c->launch);
}

const StepKind step_spawn = { run, undo };

static int tell(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        StepContext *c = context;

        return launch_send(&c->launch, INIT_MSG_CGROUP, reterr);
}

const StepKind step_is_in_cgroup = { .run = tell };
