/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "helper/steps.h"

/*
 * The filter comes compiled. A flag that the kernel does not know is an error: it was asked for.
 *
 * A listener (SECCOMP_RET_USER_NOTIF) would have to be handed over after the filter is in force, when it may
 * hold up the very sendmsg() that does it; the launcher has to fetch it with pidfd_getfd() while we wait.
 * Refused until then.
 */
int step_seccomp(Helper *h, const InitStep *s, Error *e) {
        size_t n = s->blob_size / sizeof(struct sock_filter);
        struct sock_fprog program = { .len = (unsigned short) n, .filter = (struct sock_filter *) s->blob };

        if (s->num[1])
                return error_setf(e, EOPNOTSUPP, "seccomp notify listener: operation not supported");
        if (n == 0 || n > BPF_MAXINSNS || s->blob_size % sizeof(struct sock_filter) != 0)
                return error_setf(e, EINVAL, "load seccomp filter: %zu instructions", n);
        if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, (unsigned) s->num[0], &program) < 0)
                return error_errnof(e, errno, "load seccomp filter");
        return 0;
}
