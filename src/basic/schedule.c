/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/schedule.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "basic/str.h"

/* Of the utilization: all of a CPU. The specification has the flags SCHED_FLAG_UTIL_CLAMP_*, but no values for them,
 * so these are 0 and all, which clamps nothing. */
#define CLAMP_MAX 1024

/* What sched_setattr(2) takes; libc has a name for it only since 2.41. */
typedef struct Attributes {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
        uint32_t clamp_min, clamp_max;
} Attributes;

int schedule_on(const char *cpus) {
        _Alignas(unsigned long) uint8_t bits[CPUS_MAX / 8] = {};
        int r = 0;

        if (cpus)
                r = parse_bits(cpus, bits, sizeof(bits));
        else
                memset(bits, 0xff, sizeof(bits));
        if (r >= 0 && syscall(SYS_sched_setaffinity, 0, sizeof(bits), bits) < 0)
                r = -errno;
        return r < 0 ? r : 0;
}

int schedule_set(pid_t pid, const Schedule *s) {
        Attributes a = { .size = sizeof(a),
                         .policy = s->policy,
                         .flags = s->flags,
                         .nice = s->nice,
                         .priority = (uint32_t) s->priority,
                         .runtime = s->runtime,
                         .deadline = s->deadline,
                         .period = s->period,
                         .clamp_max = CLAMP_MAX };

        return syscall(SYS_sched_setattr, pid, &a, 0) < 0 ? -errno : 0;
}

int schedule_set_io(pid_t pid, int value) {
        return syscall(SYS_ioprio_set, 1 /* a process */, pid, value) < 0 ? -errno : 0;
}
