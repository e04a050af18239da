/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "helper/seccomp.h"
#include "helper/steps.h"
#include "helper/talk.h"

/*
 * The filter comes compiled. A flag that the kernel does not know is an error: it was asked for.
 *
 * A listener (SECCOMP_RET_USER_NOTIF) goes to the launcher, which has somebody to answer for it. The filter is in
 * force by then: that is why oci/spec-seccomp.c refuses to have sendmsg() notified.
 */
int seccomp_load(const InitSeccomp *s) {
        struct sock_fprog program = { .len = (unsigned short) (s->filter.size / sizeof(struct sock_filter)),
                                      .filter = (struct sock_filter *) s->filter.bytes };
        unsigned flags = s->flags | (s->listener ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0U);
        int r = (int) syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);

        return r < 0 ? -errno : r;
}

int step_seccomp(Helper *h, const InitSeccomp *s, Error *e) {
        size_t n = s->filter.size / sizeof(struct sock_filter);
        int listener, r;

        if (n == 0 || n > BPF_MAXINSNS || s->filter.size % sizeof(struct sock_filter) != 0)
                return error_setf(e, EINVAL, "load seccomp filter: %zu instructions", n);
        if (s->of_hooks) {
                h->hook_filter = s;
                return 0;
        }
        listener = seccomp_load(s);
        if (listener < 0)
                return error_errnof(e, listener, "load seccomp filter");
        if (!s->listener)
                return 0;
        r = talk_send(h, INIT_MSG_LISTENER, 0, listener, e);
        (void) close(listener);
        return r;
}
