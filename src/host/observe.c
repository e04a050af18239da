/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/observe.h"

#include <sys/xattr.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "host/cgroup.h"
#include "host/gate.h"
#include "host/process.h"
#include "host/unit-ref.h"

#define ENDING_USEC 2000000

int container_open_init(const Container *c) {
        return c->record.committed && c->of_this_boot ? process_open(c->record.pid, c->record.start_time) : -ESRCH;
}

static bool init_is_alive(const Container *c) {
        ProcessStat stat;

        return c->record.committed && c->of_this_boot && process_stat(c->record.pid, &stat) == 0 && !stat.dead &&
               stat.start_time == c->record.start_time;
}

static bool has_our_process(const Container *c) {
        _cleanup_free_ char *path = NULL;

        return init_is_alive(c) && cgroup_of_pid(c->record.pid, &path) == 0 && path_is_below(path, c->record.cgroup);
}

char *container_unit_invocation(const Container *c) {
        return unit_invocation(c->caller, c->record.unit, c->record.user_manager);
}

void container_note_invocation(Container *c) {
        _cleanup_free_ char *invocation = container_unit_invocation(c);

        c->record.invocation_id = invocation ? arena_strdup(&c->record.arena, invocation) : NULL;
}

/* What systemd could not remove, as too many cgroups were below it, the next unit of that name gets: the same cgroup. */
static bool is_of_another_unit(const Container *c) {
        _cleanup_free_ char *now = NULL;

        if (!home_has_unit(c->record.home) || !c->record.invocation_id)
                return false;
        now = container_unit_invocation(c);
        return now && !streq(now, c->record.invocation_id);
}

/* What version 0.1.0 made in its caller's unit it has marked as systemd marks that of a unit. */
static bool has_our_mark(const Container *c, int cgroup) {
        const char *name = c->record.user_manager ? "user.invocation_id" : "trusted.invocation_id";
        char value[64] = {};

        return c->record.invocation_id && fgetxattr(cgroup, name, value, sizeof(value) - 1) > 0 &&
               streq(value, c->record.invocation_id);
}

/* Of a container of version 0.1.0, which did not write the number, the process proves that it is: as long as it lives. */
static bool is_ours(const Container *c, int cgroup) {
        uint64_t id;

        if (c->record.cgroup_id == 0)
                return has_our_process(c) || has_our_mark(c, cgroup);
        return cgroup_id(cgroup, &id) == 0 && id == c->record.cgroup_id &&
               (has_our_process(c) || !is_of_another_unit(c));
}

int container_open_cgroup(const Container *c) {
        _cleanup_close_ int fd = -EBADF;

        if (!c->record.cgroup || !c->of_this_boot)
                return -ENOENT;
        fd = cgroup_open(c->record.cgroup);
        if (fd < 0)
                return fd;
        return is_ours(c, fd) ? TAKE_FD(fd) : -ENOENT;
}

int container_open_frozen(const Container *c) {
        _cleanup_close_ int cgroup = container_open_cgroup(c);
        const char *name;

        if (cgroup < 0 || c->record.home != HOME_IN_SERVICE)
                return TAKE_FD(cgroup);
        return cgroup_open_parent(c->record.cgroup, &name);
}

void container_note_cgroup(Container *c) {
        _cleanup_close_ int cgroup = c->record.cgroup_id == 0 ? container_open_cgroup(c) : -EBADF;

        if (cgroup >= 0)
                (void) cgroup_id(cgroup, &c->record.cgroup_id);
}

int container_need_cgroup(const Container *c, const char *what, Error *reterr) {
        int fd = container_open_cgroup(c);

        if (c->record.home == HOME_NONE)
                return error_setf(reterr, EOPNOTSUPP, "cannot %s container %s: it has no cgroup of its own", what,
                                  c->id);
        if (fd == -ENOENT)
                error_setf(reterr, EBUSY, "cannot %s container %s: its process has left its cgroup, which is gone",
                           what, c->id);
        else if (fd < 0)
                error_errnof(reterr, fd, "cannot open the cgroup of container %s", c->id);
        return container_blame_end(c, what, fd, reterr);
}

int container_blame_end(const Container *c, const char *what, int r, Error *reterr) {
        _cleanup_close_ int init = r < 0 ? container_open_init(c) : -EBADF;

        if (r >= 0)
                return r;
        /* A process of ours that is gone without a word was killed, perhaps with all others, and a job that is in the way may
         * be that of a stop: which takes a moment. */
        if (init >= 0 &&
            !((r == -EIO || r == -EAGAIN) && process_wait(c->record.pid, init, now_usec() + ENDING_USEC) == 0))
                return r;
        error_done(reterr);
        return error_setf(reterr, EBUSY, "cannot %s container %s: container not running", what, c->id);
}

static bool is_frozen(const Container *c) {
        _cleanup_close_ int fd = container_open_cgroup(c);

        return fd >= 0 && cgroup_is_frozen(fd);
}

Status container_status(const Container *c) {
        StatusFacts facts = { .committed = c->record.committed, .creating = c->found_lock };

        facts.alive = init_is_alive(c);
        facts.gated = facts.alive && container_is_gated(c);
        facts.frozen = facts.alive && is_frozen(c);
        return status_derive(&facts);
}
