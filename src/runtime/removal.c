/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/removal.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "basic/log.h"
#include "basic/loop.h"
#include "host/cgroup.h"
#include "host/launch.h"
#include "host/manager.h"
#include "host/process.h"
#include "host/resctrl.h"
#include "runtime/hooks.h"
#include "runtime/rootfs.h"

/* After this long without an end, kill again, and one after the other: an exec may have brought in a process meanwhile, and
 * cgroup.kill may have passed over one. */
#define KILL_AGAIN_USEC UINT64_C(200000)

/* For what is over in a moment, if nobody is in the way. */
#define PASSING_USEC UINT64_C(1000000)
#define PASSING_LOOK_USEC 5000

static int kill_init(const Container *c, uint64_t deadline, Error *reterr) {
        _cleanup_close_ int pidfd = container_open_init(c);
        int r;

        if (pidfd < 0)
                return 0;
        r = process_signal(pidfd, SIGKILL);
        if (r < 0 && r != -ESRCH)
                return error_errnof(reterr, r, "cannot kill the process of container %s", c->id);
        r = process_wait(c->record.pid, pidfd, deadline);
        return r < 0 ? error_errnof(reterr, r, "the process of container %s does not die", c->id) : 0;
}

/*
 * What a create that was killed has asked of systemd may be on its way still, and would come true when all is removed.
 * systemd refuses it once there is no such process, not even a zombie. Who should collect that may never do so.
 */
static void end_request(const Container *c) {
        const Record *record = &c->record;
        uint64_t deadline = now_usec() + PASSING_USEC;
        _cleanup_close_ int pidfd = -EBADF;
        ProcessStat stat;

        if (record->committed || !record->unit || !container_is_of_this_boot(c))
                return;
        pidfd = process_open(record->pid, record->start_time);
        if (pidfd >= 0)
                (void) process_signal(pidfd, SIGKILL);
        while (process_stat(record->pid, &stat) == 0 && stat.start_time == record->start_time && now_usec() < deadline)
                (void) loop_sleep(PASSING_LOOK_USEC);
}

static int kill_cgroup(int cgroup, const char *path, uint64_t deadline) {
        for (;;) {
                int r = cgroup_kill(cgroup);

                if (r == 0)
                        r = cgroup_wait_empty(cgroup, MIN(deadline, now_usec() + KILL_AGAIN_USEC));
                if (r != -ETIMEDOUT || now_usec() >= deadline)
                        return r;
                (void) cgroup_signal(cgroup, path, SIGKILL);
        }
}

int removal_kill(const Container *c, Error *reterr) {
        uint64_t deadline = now_usec() + REMOVAL_TIMEOUT_USEC;
        _cleanup_close_ int cgroup = container_open_cgroup(c);
        int r;

        if (cgroup >= 0) {
                r = kill_cgroup(cgroup, c->record.cgroup, deadline);
                if (r < 0)
                        return error_errnof(reterr, r, "the processes of container %s do not die", c->id);
        }
        return kill_init(c, deadline, reterr);
}

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
        uint64_t deadline = now_usec() + PASSING_USEC;
        char *invocation;
        int r;

        do {
                invocation = container_unit_invocation(c);
                r = manager_unit_runs_only(m, c->record.unit, helper, reterr);
        } while (r > 0 && !invocation && now_usec() < deadline && loop_sleep(PASSING_LOOK_USEC) == 0);
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

/* When the last process ended a while ago, systemd has removed the scope by itself. */
/* cppcheck-suppress constParameter; what it asks changes the connection */
static int remove_scope(const Container *c, Manager *m, Error *reterr) {
        _cleanup_close_ int cgroup = container_open_cgroup(c);
        _cleanup_manager_ Manager *own = NULL;
        int r = 0;

        if (!container_is_of_this_boot(c) || (c->record.cgroup && cgroup < 0))
                return 0;
        if (!m)
                r = manager_open(c->caller, c->record.user_manager, &own, reterr);
        if (r == 0)
                r = stop_unit(c, cgroup, m ?: own, reterr);
        if (r < 0 && cgroup >= 0)
                return error_prefixf(reterr, "the processes of container %s have ended, but its scope remains", c->id);
        return r;
}

int removal_cgroup(const Container *c, Error *reterr) {
        uint64_t deadline = now_usec() + REMOVAL_TIMEOUT_USEC;
        _cleanup_close_ int cgroup = container_open_cgroup(c);
        int r;

        if (cgroup < 0)
                return cgroup == -ENOENT ? 0 : error_errnof(reterr, cgroup, "cannot open cgroup %s", c->record.cgroup);
        r = kill_cgroup(cgroup, c->record.cgroup, deadline);
        if (r < 0)
                return error_errnof(reterr, r, "the processes of container %s do not die", c->id);
        r = cgroup_remove(cgroup, c->record.cgroup, deadline);
        return r < 0 ? error_errnof(reterr, r, "cannot remove cgroup %s of container %s", c->record.cgroup, c->id) : 0;
}

/* A create that was killed when it had just made a cgroup has not written down which. Nobody is in it, or it is not that. */
static void remove_unnumbered(const Container *c) {
        const Record *record = &c->record;
        bool made_by_us = record->cgroup && !record->unit && record->cgroup_id == 0 && container_is_of_this_boot(c);
        const char *name;
        _cleanup_close_ int parent = made_by_us ? cgroup_open_parent(record->cgroup, &name) : -EBADF;

        if (parent >= 0)
                (void) unlinkat(parent, name, AT_REMOVEDIR);
}

void removal_unmount(const Runtime *rt, Container *c) {
        _cleanup_error_ Error error = {};
        Spec spec;
        int r;

        if (c->record.mount_id == 0 || !container_is_of_this_boot(c))
                return;
        r = container_read_spec(c, &spec, &error);
        if (r == 0)
                r = rootfs_unmount(rt, c, &spec, &error);
        if (r < 0 && r != -ENOENT && r != -EINVAL) /* the namespace is gone, or another is at that path now */
                log_message(LOG_WARNING, "%s", error.message);
}

static void run_poststop(const Runtime *rt, const Container *c, const Spec *spec) {
        HookState state = { .id = c->id, .bundle = c->record.bundle, .status = "stopped" };
        _cleanup_error_ Error error = {};

        if (hooks_run(&rt->caller, spec, HOOK_POSTSTOP, &state, &error) < 0)
                log_message(LOG_WARNING, "%s", error.message);
}

/* Before it is removed. */
static void find_poststop(Container *c, Spec *ret) {
        _cleanup_error_ Error error = {};

        if ((c->record.version != 1 || c->record.has_poststop) && container_read_spec(c, ret, &error) < 0)
                log_message(LOG_WARNING, "%s", error.message);
}

/* Of the groups of resctrl those that were made for this container. */
static int remove_rdt_groups(const Container *c, Error *reterr) {
        const Record *record = &c->record;
        _cleanup_close_ int root = -EBADF;

        if (!record->rdt_group || !container_is_of_this_boot(c))
                return 0;
        root = resctrl_open(NULL);
        if (root < 0) /* it was unmounted, and all groups with it */
                return 0;
        if (record->rdt_own)
                return resctrl_remove(root, record->rdt_group, reterr);
        return record->rdt_monitored ? resctrl_remove_monitor(root, record->rdt_group, record->id, reterr) : 0;
}

/* All but the poststop hooks, which are in *ret_spec. */
static int take_away(const Runtime *rt, Container *c, Manager *m, Spec *ret_spec, Error *reterr) {
        int r;

        r = removal_kill(c, reterr);
        if (r == 0) {
                end_request(c);
                log_debug("container %s: none of its processes runs", c->id);
        }
        if (r == 0 && c->record.unit)
                r = remove_scope(c, m, reterr);
        if (r == 0)
                r = removal_cgroup(c, reterr);
        if (r == 0)
                r = remove_rdt_groups(c, reterr);
        if (r < 0)
                return r;
        remove_unnumbered(c);
        removal_unmount(rt, c);
        find_poststop(c, ret_spec);
        r = container_remove(c, reterr);
        if (r == 0)
                log_info("container %s: removed", c->id);
        return r;
}

int removal_run(const Runtime *rt, Container *c, Manager *m, Error *reterr) {
        int r, interrupt = loop_interrupt(-EBADF);
        Spec spec = {};

        r = take_away(rt, c, m, &spec, reterr);
        (void) loop_interrupt(interrupt);
        if (r == 0)
                run_poststop(rt, c, &spec);
        return r;
}
