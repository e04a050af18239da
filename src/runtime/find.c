/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/find.h"

#include <errno.h>

#include "host/observe.h"

int runtime_find(const Runtime *rt, const char *id, LockMode lock, Container *ret, Error *reterr) {
        _cleanup_store_ Store store = { .fd = -EBADF };
        int r = store_open(rt->root, &rt->caller, false, &store, reterr);

        if (r == 0)
                r = container_open(&store, id, lock, ret, reterr);
        if (r == 0)
                container_note_cgroup(ret);
        return r;
}
