/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/preserve.h"

#include <errno.h>
#include <sys/resource.h>

#include "basic/macro.h"

#define PRESERVED_MAX ((rlim_t) 1 << 20) /* what the kernel lets a process have (fs.nr_open), unless that is raised */

int preserve_fds(const Caller *caller, uint32_t asked, uint32_t *ret, Error *reterr) {
        struct rlimit limit = { .rlim_cur = PRESERVED_MAX };

        (void) getrlimit(RLIMIT_NOFILE, &limit);
        *ret = MAX(asked, caller->listen_fds);
        if (*ret <= MIN(limit.rlim_cur, PRESERVED_MAX))
                return 0;
        return error_setf(reterr, EINVAL, "--preserve-fds: %u descriptors are more than there can be (RLIMIT_NOFILE)", *ret);
}
