/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "basic/fd.h"
#include "host/cgroup.h"
#include "host/observe.h"
#include "runtime/find.h"
#include "runtime/runtime.h"

static int compare(const void *a, const void *b) {
        return *(const pid_t *) a - *(const pid_t *) b;
}

int runtime_processes(const Runtime *rt, const char *id, pid_t **ret, size_t *ret_n, Error *reterr) {
        _cleanup_container_ Container c = { .dir = -EBADF };
        _cleanup_close_ int cgroup = -EBADF;
        int r;

        r = runtime_find(rt, id, LOCK_NONE, &c, reterr);
        if (r < 0)
                return r;
        if (!c.record.committed || container_status(&c) == STATUS_STOPPED)
                return error_setf(reterr, EBUSY, "cannot list the processes of container %s: container not running", id);
        cgroup = container_need_cgroup(&c, "list the processes of", reterr);
        if (cgroup < 0)
                return cgroup;
        r = cgroup_pids(cgroup, ret, ret_n);
        if (r < 0)
                return error_errnof(reterr, r, "cannot list the processes of container %s", id);
        if (*ret_n > 0)
                qsort(*ret, *ret_n, sizeof(**ret), compare);
        return 0;
}
