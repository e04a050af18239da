/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/loop.h"
#include "host/cgroup.h"
#include "host/observe.h"
#include "runtime/find.h"
#include "runtime/runtime.h"

typedef struct Watch {
        const char *id;
        const Record *record;
        const EventSink *sink;
        int cgroup, init, changes, timer;
        uint64_t kills;         /* by the OOM killer, as far as told */
} Watch;

static void watch_done(Watch *w) {
        w->cgroup = close_fd(w->cgroup);
        w->init = close_fd(w->init);
        w->changes = close_fd(w->changes);
        w->timer = close_fd(w->timer);
}

/* 1: there is nothing left to look at. */
static int tell_stats(const Watch *w, Error *reterr) {
        _cleanup_stats_ Stats stats = {};
        int r;

        r = stats_read_cgroup(w->cgroup, &stats);
        if (r < 0)
                return 1;
        if (w->init >= 0 && w->record->namespaces & CLONE_NEWNET)
                stats_read_network(w->record->pid, &stats);
        if (w->init < 0 || pidfd_has_exited(w->init)) /* its number may be somebody else's by now */
                stats.n_networks = 0;
        return w->sink->stats(w->id, &stats, reterr);
}

/* The kernel notifies of both files, but of the last change of a cgroup that is removed at once perhaps not: then of its
 * being removed, to who watches the directory that it was in. */
static int watch_changes(Watch *w, Error *reterr) {
        static const struct {
                const char *name;
                uint32_t mask;
        } files[] = { { "cgroup.events", IN_MODIFY }, { "memory.events", IN_MODIFY }, { "..", IN_DELETE | IN_ONLYDIR } };

        w->changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (w->changes < 0)
                return error_errnof(reterr, errno, "cannot watch the cgroup of container %s", w->id);
        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                _cleanup_free_ char *path = xasprintf("/proc/self/fd/%d/%s", w->cgroup, files[i].name);

                if (files[i].mask == IN_MODIFY && !cgroup_has_file(w->cgroup, files[i].name)) /* no memory controller */
                        continue;
                /* Gone already, which is seen before the first wait. */
                if (inotify_add_watch(w->changes, path, files[i].mask) < 0 && errno != ENOENT && errno != ENODEV)
                        return error_errnof(reterr, errno, "cannot watch %s of container %s", files[i].name, w->id);
        }
        (void) stats_read_key(w->cgroup, "memory.events", "oom_kill", &w->kills);
        return 0;
}

static int start_timer(Watch *w, uint64_t interval, Error *reterr) {
        const struct timespec t = { .tv_sec = (time_t) (interval / 1000000),
                                    .tv_nsec = (long) (interval % 1000000 * 1000) };
        const struct itimerspec timer = { .it_interval = t, .it_value = t };

        w->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
        if (w->timer < 0 || timerfd_settime(w->timer, 0, &timer, NULL) < 0)
                return error_errnof(reterr, errno, "cannot set a timer");
        return 0;
}

/* What has changed; 1: nobody is left. */
static int look(Watch *w, Error *reterr) {
        uint64_t kills = w->kills, populated = 0;
        int r = 0;

        (void) stats_read_key(w->cgroup, "memory.events", "oom_kill", &kills);
        if (kills > w->kills)
                r = w->sink->oom(w->id, reterr);
        w->kills = kills;
        if (r == 0 && (stats_read_key(w->cgroup, "cgroup.events", "populated", &populated) < 0 || populated == 0))
                r = 1;
        return r;
}

/* Once for all that has been notified or has expired: what happened is looked up. */
static void drain(int fd) {
        char buffer[4096];

        while (read(fd, buffer, sizeof(buffer)) > 0)
                ;
}

static int attend(Watch *w, Error *reterr) {
        for (;;) {
                struct pollfd fds[] = { { .fd = w->changes, .events = POLLIN }, { .fd = w->timer, .events = POLLIN } };
                int r;

                r = look(w, reterr);
                if (r != 0)
                        return MIN(r, 0);
                r = loop_wait(fds, ELEMENTSOF(fds), UINT64_MAX);
                if (r < 0)
                        return error_errnof(reterr, r, "cannot wait for events of container %s", w->id);
                drain(w->changes);
                if (!fds[1].revents)
                        continue;
                drain(w->timer);
                r = tell_stats(w, reterr);
                if (r != 0)
                        return MIN(r, 0);
        }
}

static int follow(Watch *w, uint64_t interval, Error *reterr) {
        int r;

        r = watch_changes(w, reterr);
        if (r == 0)
                r = start_timer(w, interval, reterr);
        return r < 0 ? r : attend(w, reterr);
}

int runtime_events(const Runtime *rt, const char *id, uint64_t interval, const EventSink *sink, Error *reterr) {
        _cleanup_container_ Container c = { .dir = -EBADF };
        _cleanup_(watch_done) Watch w = { .id = id, .record = &c.record, .sink = sink,
                                          .cgroup = -EBADF, .init = -EBADF, .changes = -EBADF, .timer = -EBADF };
        int r;

        r = runtime_find(rt, id, LOCK_NONE, &c, reterr);
        if (r < 0)
                return r;
        if (!c.record.committed || container_status(&c) == STATUS_STOPPED)
                return error_setf(reterr, EBUSY, "cannot print events of container %s: container not running", id);
        w.init = container_open_init(&c);
        w.cgroup = container_need_cgroup(&c, "print events of", reterr);
        if (w.cgroup < 0)
                return w.cgroup;
        return interval == 0 ? MIN(tell_stats(&w, reterr), 0) : follow(&w, interval, reterr);
}
