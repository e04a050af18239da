/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "basic/loop.h"
#include "host/cgroup.h"
#include "host/launch.h"
#include "host/observe.h"
#include "host/unit-calls.h"
#include "steps/ending.h"
#include "steps/steps.h"

/*
 * Nothing of ours runs any more but the helper of a create that was killed. That one may have found the name taken, and
 * where systemd could not remove the cgroup, and has forgotten the unit, it is free: only what runs in the unit says whose
 * it is. Where nothing does, it is nobody's: its processes died while systemd took them in, and it would never end by
 * itself. One that waits to be started may be anybody's; ours does so for a moment only. One that is being started is never
 * seen like that: systemd makes the link that says its invocation and puts its processes there at one go, and is asked
 * after that was read. 1 and the invocation if it is ours or nobody's.
 */
static int find_left_unit(const Container *c, Manager *m, char **ret_invocation, Error *reterr) {
        _cleanup_free_ char *helper = launch_command(c->id, container_mark(c));
        uint64_t deadline = now_usec() + ENDING_PASSING_USEC;
        char *invocation;
        int r;

        do {
                invocation = container_unit_invocation(c);
                r = manager_unit_runs_only(m, c->record.unit, helper, reterr);
        } while (r > 0 && !invocation && now_usec() < deadline && loop_sleep(ENDING_LOOK_USEC) == 0);
        *ret_invocation = invocation;
        return r > 0 && !invocation ? 0 : r;
}

/* Asked to stop it, systemd acts at once; left alone it would notice the empty cgroup 10 ms later or more. */
static int stop_unit(const Container *c, int cgroup, Manager *m, Error *reterr) {
        _cleanup_free_ char *invocation = NULL;
        UnitRef unit = record_unit(&c->record);
        int r = 1;

        if (!unit.invocation && (cgroup < 0 || cgroup_has_children(cgroup)))
                r = find_left_unit(c, m, &invocation, reterr);
        if (r <= 0)
                return r;
        if (!unit.invocation) /* it may have become another's since */
                unit.invocation = invocation;
        r = manager_stop_unit(m, unit, now_usec() + MANAGER_TIMEOUT_USEC, reterr);
        if (r == 0)
                log_info("scope %s: stopped", c->record.unit);
        return r;
}

/* Of a container of version 0.1.0, which did not write which cgroup its is, nothing may be left that says so. */
static void warn_of_what_stays(const Record *record) {
        _cleanup_close_ int cgroup = record->cgroup_id == 0 ? cgroup_open(record->cgroup) : -EBADF;

        if (cgroup >= 0 && cgroup_is_populated(cgroup))
                log_message(LOG_WARNING, "scope %s still runs, and is left alone: it may be another's by now",
                            record->unit);
}

/* When the last process ended a while ago, systemd has removed the scope by itself. */
static int run(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        StepContext *c = context;
        _cleanup_close_ int cgroup = container_open_cgroup(c->container);
        Manager *m;
        int r;

        if (c->container->record.cgroup && cgroup < 0) {
                warn_of_what_stays(&c->container->record);
                return 0;
        }
        r = step_manager(c, &m, reterr);
        if (r == 0)
                r = stop_unit(c->container, cgroup, m, reterr);
        if (r < 0 && cgroup >= 0)
                return error_prefixf(reterr, "the processes of container %s have ended, but its scope remains",
                                     c->container->id);
        return r;
}

const StepKind step_stop_unit = { .run = run };
