/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A process in a supervised container that is known by a name, and that systemd collects. */
#include <errno.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "basic/log.h"
#include "basic/moment.h"
#include "host/cgroup.h"
#include "host/end.h"
#include "host/observe.h"
#include "host/process.h"
#include "host/session.h"
#include "steps/steps.h"

static int write_record(const StepContext *c, Error *reterr) {
        const Record *whole = c->whole;
        Record *record = &c->container->record;
        int r;

        *record = (Record){
                .version = RECORD_VERSION,
                .id = c->id,
                .oci_version = whole->oci_version,
                .bundle = whole->bundle,
                .rootfs = whole->rootfs,
                .created = moment_now(&record->arena),
                .owner = c->rt->caller.uid,
                .boot_id = whole->boot_id,
                .user_manager = whole->user_manager,
                .home = HOME_SERVICE,
                .unit = c->unit->name,
                .slice = c->unit->slice,
                .kept = true,
                .has_process = true,
                .arena = record->arena,
        };
        r = container_save(c->container, reterr);
        if (r < 0)
                return r;
        end_expect(c->container);
        r = write_file_atomic_at(c->container->dir, "request", c->config, c->config_size, 0600);
        return r < 0 ? error_errnof(reterr, r, "cannot write down what session %s is to run", c->id) : 0;
}

static int remember(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        StepContext *c = context;
        int r = session_create(c->store, c->whole->id, step->remember_session.id, c->container, reterr);

        return r < 0 ? r : write_record(c, reterr);
}

static void forget(void *context, const LaunchStep *step, void *kept) {
        const StepContext *c = context;

        if (c->container->dir >= 0)
                (void) container_remove(c->container, NULL);
}

const StepKind step_remember_session = { remember, forget };

static int commit(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        const StepContext *c = context;
        Record *record = &c->session->record;
        _cleanup_free_ char *invocation = container_unit_invocation(c->session);
        ProcessStat stat;

        if (process_stat(c->launch.pid, &stat) < 0 || pidfd_has_exited(c->launch.pidfd))
                return error_setf(reterr, ESRCH, "the process ended before it was set up");
        record->pid = c->launch.pid;
        record->start_time = stat.start_time;
        record->invocation_id = invocation ? arena_strdup(&record->arena, invocation) : NULL;
        record->committed = true;
        return container_save(c->session, reterr);
}

const StepKind step_commit_session = { .run = commit };

/* Nobody in the container has had it do anything until now: what an ordinary user's container has power over is in its user
 * namespace, and the helper is of ours until it executes the program. */
static int join(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        const StepContext *c = context;
        _cleanup_free_ char *number = xasprintf("%d", c->launch.pid), *path = NULL;
        int r = write_kernel_file(c->cgroup, "cgroup.procs", number);

        if (r < 0)
                return error_errnof(reterr, r, "cannot move the process into cgroup %s", c->cgroup_path);
        return cgroup_of_pid(c->launch.pid, &path) == 0 && streq(path, c->cgroup_path)
                       ? 0
                       : error_setf(reterr, EBUSY, "the process is not in cgroup %s", c->cgroup_path);
}

const StepKind step_join_cgroup = { .run = join };
