/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "basic/names.h"
#include "basic/schedule.h"
#include "helper/steps.h"

/* Best effort: if it is refused here, INIT_RLIMIT says so. */
int step_raise_rlimit(Helper *h, const InitRaiseRlimit *s, Error *e) {
        struct rlimit limit;

        if (getrlimit(s->resource, &limit) == 0 && limit.rlim_max < s->hard) {
                limit.rlim_max = s->hard;
                (void) setrlimit(s->resource, &limit);
        }
        return 0;
}

int step_rlimit(Helper *h, const InitRlimit *s, Error *e) {
        struct rlimit limit = { .rlim_cur = s->soft, .rlim_max = s->hard };

        if (setrlimit(s->resource, &limit) < 0)
                return error_errnof(e, errno, "set %s", name_of(rlimit_names, s->resource) ?: "rlimit");
        return 0;
}

int step_scheduler(Helper *h, const InitScheduler *s, Error *e) {
        const Schedule schedule = { .policy = s->policy,
                                    .nice = (int32_t) s->nice,
                                    .priority = (int32_t) s->priority,
                                    .flags = s->flags,
                                    .runtime = s->runtime,
                                    .deadline = s->deadline,
                                    .period = s->period };
        int r = schedule_set(0, &schedule);

        return r < 0 ? error_errnof(e, r, "set scheduler") : 0;
}

int step_io_priority(Helper *h, const InitIoPriority *s, Error *e) {
        int r = schedule_set_io(0, (int) s->value);

        return r < 0 ? error_errnof(e, r, "set I/O priority") : 0;
}

int step_affinity(Helper *h, const InitAffinity *s, Error *e) {
        int r = schedule_on(s->cpus);

        return r < 0 ? error_errnof(e, r, "set CPU affinity to %s", s->cpus) : 0;
}

int step_personality(Helper *h, const InitPersonality *s, Error *e) {
        if (personality((unsigned long) s->persona) < 0)
                return error_errnof(e, errno, "set personality");
        return 0;
}

int step_memory_policy(Helper *h, const InitMemoryPolicy *s, Error *e) {
        _Alignas(unsigned long) uint8_t bits[512] = {};
        const char *nodes = s->nodes;
        int r = nodes ? parse_bits(nodes, bits, sizeof(bits)) : 0;

        /* The kernel takes one bit less than it is told. */
        if (r >= 0 && syscall(SYS_set_mempolicy, (int) s->mode, nodes ? bits : NULL,
                              nodes ? 8 * sizeof(bits) + 1 : 0) < 0)
                r = -errno;
        return r < 0 ? error_errnof(e, r, "set memory policy%s%s", nodes ? " for nodes " : "", nodes ?: "") : 0;
}

int step_umask(Helper *h, const InitUmask *s, Error *e) {
        (void) umask(s->mask);
        return 0;
}
