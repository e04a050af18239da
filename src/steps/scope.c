/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The scope: asked of systemd, and verified. */
#include <errno.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "host/cgroup.h"
#include "host/observe.h"
#include "host/process.h"
#include "steps/ending.h"
#include "steps/home.h"

/* For taking a scope back. Its process is dead by then: what a manager that hangs has not done will fail. */
#define ABANDON_USEC 5000000ULL

int home_note_process(StepContext *c, bool committed, Error *reterr) {
        Record *record = &c->container->record;
        ProcessStat stat;

        if (process_stat(c->launch.pid, &stat) < 0 || pidfd_has_exited(c->launch.pidfd))
                return error_setf(reterr, ESRCH, "the container's process ended before it was set up");
        record->pid = c->launch.pid;
        record->start_time = stat.start_time;
        record->committed = committed;
        return container_save(c->container, reterr);
}

/* What the plan has for that is done with its cgroup. */
static int home_is_there(StepContext *c, int cgroup, Error *reterr) {
        int r;

        cgroup_look_up_files(cgroup);
        c->cgroup = cgroup;
        r = operation_answer(c->operation, LAUNCH_HOME, reterr);
        c->cgroup = -EBADF;
        return r;
}

static int request_cgroup(StepContext *c, Error *reterr) {
        _cleanup_close_ int cgroup = -EBADF;
        int r = cgroup_make(c, &cgroup, reterr);

        return r < 0 ? r : home_is_there(c, cgroup, reterr);
}

/* We are in there ourselves, and the process with us. Somebody else has asked for it. */
static int join_service(StepContext *c, Error *reterr) {
        bool stands_in = false;
        Manager *m;
        int r = 0;

        for (size_t i = 0; i < c->unit->n_writes; i++)
                stands_in = stands_in || c->unit->writes[i].instead_of;
        unit_properties_use(&c->properties, c->unit);
        if (stands_in) {
                r = step_manager(c, &m, reterr);
                if (r == 0)
                        unit_properties_look(&c->properties, m, (UnitRef){ .name = c->unit->name });
        }
        return r < 0 ? r : scope_settle(c, reterr);
}

int home_request(StepContext *c, Error *reterr) {
        int r = 0;

        if (c->unit->home == HOME_NONE)
                return 1;
        /* removal_run() waits for its end, lest systemd gets to the request when all is removed. */
        if (home_has_unit(c->unit->home))
                r = home_note_process(c, false, reterr);
        if (r < 0)
                return r;
        if (home_is_cgroup(c->unit->home))
                return request_cgroup(c, reterr) ?: 1;
        if (c->unit->home == HOME_SERVICE)
                return join_service(c, reterr) ?: 1;
        log_info("scope %s: asked of systemd, in %s, for process %d", c->unit->name, c->unit->slice, c->launch.pid);
        unit_properties_use(&c->properties, c->unit);
        return scope_start(&c->scope, c->manager, &c->properties, c->launch.pid, c->launch.pidfd, reterr);
}

/* From here on both are known for ours, by their numbers. What could not be removed of an earlier unit had the cgroup's. */
static int claim(Container *c, int cgroup, Error *reterr) {
        Record *record = &c->record;
        int r = cgroup < 0 ? cgroup : cgroup_id(cgroup, &record->cgroup_id);

        container_note_invocation(c);
        if (r < 0)
                return error_errnof(reterr, r, "cannot open the container's cgroup %s", record->cgroup);
        if (cgroup_has_children(cgroup))
                return error_setf(reterr, EEXIST, "cgroup %s has others in it, of an earlier unit of that name",
                                  record->cgroup);
        return 0;
}

int scope_settle(StepContext *c, Error *reterr) {
        _cleanup_close_ int cgroup = -EBADF;
        _cleanup_free_ char *path = NULL;
        Record *record = &c->container->record;
        int r;

        r = cgroup_of_pid(c->launch.pid, &path);
        if (r < 0 || !cgroup_belongs_to_unit(path, c->unit->slice, c->unit->name))
                return error_setf(reterr, EREMOTEIO, "systemd was asked for scope %s in %s, but the container's process "
                                  "is in cgroup %s", c->unit->name, c->unit->slice, r < 0 ? "(none)" : path);
        record->cgroup = arena_strdup(&record->arena, path);
        cgroup = cgroup_open(path);
        r = claim(c->container, cgroup, reterr);
        /* Before anything but the helper runs in there: hooks of the container. */
        if (r == 0)
                r = container_save(c->container, reterr);
        if (r == 0)
                r = home_is_there(c, cgroup, reterr);
        if (r == 0)
                log_debug("scope %s: the process is in cgroup %s, and all limits are in force", c->unit->name, path);
        return r;
}

/* The process that it is for is not there yet. When it is undone and nothing was asked for yet, no cgroup is known for ours. */
static int wait_for_process(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        return 0;
}

static void leave_scope(void *context, const LaunchStep *step, void *kept) {
        StepContext *c = context;

        scope_abandon(&c->scope, c->container->record.invocation_id, now_usec() + ABANDON_USEC);
        (void) ending_remove_cgroup(c->container, NULL);
}

const StepKind step_scope = { wait_for_process, leave_scope };

static void leave_cgroup(void *context, const LaunchStep *step, void *kept) {
        const StepContext *c = context;

        (void) ending_remove_cgroup(c->container, NULL);
}

const StepKind step_cgroup = { wait_for_process, leave_cgroup };
