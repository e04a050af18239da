/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <signal.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "basic/log.h"
#include "host/cgroup.h"
#include "host/observe.h"
#include "host/process.h"
#include "runtime/find.h"
#include "runtime/runtime.h"
#include "steps/ending.h"

static int signal_all(int cgroup, const char *path, int signal) {
        int r = signal == SIGKILL ? cgroup_kill(cgroup) : 0;

        return r < 0 ? r : cgroup_signal(cgroup, path, signal);
}

static bool is_in(pid_t pid, const char *cgroup) {
        _cleanup_free_ char *path = NULL;

        return cgroup_of_pid(pid, &path) == 0 && path_is_below(path, cgroup);
}

/* Every process that it has; *ret_any: there was one. */
static int kill_all(const Container *c, int signal, bool *ret_any, Error *reterr) {
        _cleanup_close_ int cgroup = container_open_cgroup(c), init = container_open_init(c);
        /* It may have been moved elsewhere. */
        bool apart = init >= 0 && (cgroup < 0 || !is_in(c->record.pid, c->record.cgroup));
        int r = 0;

        *ret_any = init >= 0 || (cgroup >= 0 && cgroup_is_populated(cgroup));
        if (signal == SIGKILL) /* and by its cgroup, if that fails */
                (void) ending_kill_first(c, init, NULL);
        if (cgroup >= 0 && !ending_is_left_to_systemd(c))
                r = signal_all(cgroup, c->record.cgroup, signal);
        if (r == 0 && apart)
                r = process_signal(init, signal);
        return r < 0 && r != -ESRCH ? error_errnof(reterr, r, "cannot signal the processes of container %s", c->id) : 0;
}

static int kill_init(const Container *c, int signal, bool *ret_any, Error *reterr) {
        _cleanup_close_ int init = container_open_init(c);
        int r = init < 0 ? init : process_signal(init, signal);

        *ret_any = r != -ESRCH;
        return r < 0 && r != -ESRCH ? error_errnof(reterr, r, "cannot signal container %s", c->id) : 0;
}

int runtime_kill(const Runtime *rt, const char *id, int signal, bool all, Error *reterr) {
        _cleanup_container_ Container c = { .dir = -EBADF };
        bool any = false;
        int r;

        /* Without the lock: a kill must get through while another verb waits for this very container. */
        r = runtime_find(rt, id, LOCK_NONE, &c, reterr);
        if (r < 0)
                return r;
        /* KILL ends the container. In a pid namespace of its own the end of its first process is that of all, else not. */
        r = (all || signal == SIGKILL ? kill_all : kill_init)(&c, signal, &any, reterr);
        if (r == 0 && any)
                log_info("container %s: signal %d sent%s", id, signal, all || signal == SIGKILL ? " to all processes" : "");
        return r < 0 || any || all ? r : error_setf(reterr, EBUSY, "cannot signal container %s: container not running", id);
}
