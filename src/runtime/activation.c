/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/activation.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "basic/str.h"

#define LISTEN_FDS_MAX 1024
#define PRESERVED_MAX ((rlim_t) 1 << 20) /* what the kernel lets a process have (fs.nr_open), unless that is raised */

Activation activation_find(void) {
        const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");
        uint32_t value, us;

        if (!pid || !n || parse_u32(pid, &us) < 0 || us != (uint32_t) getpid() || parse_u32(n, &value) < 0 ||
            value == 0 || value > LISTEN_FDS_MAX)
                return (Activation){};
        return (Activation){ .n = value, .names = getenv("LISTEN_FDNAMES") };
}

int activation_preserve(const Activation *a, uint32_t asked, uint32_t *ret, Error *reterr) {
        struct rlimit limit = { .rlim_cur = PRESERVED_MAX };

        (void) getrlimit(RLIMIT_NOFILE, &limit);
        *ret = MAX(asked, a->n);
        if (*ret <= MIN(limit.rlim_cur, PRESERVED_MAX))
                return 0;
        return error_setf(reterr, EINVAL, "--preserve-fds: %u descriptors are more than there can be (RLIMIT_NOFILE)", *ret);
}
