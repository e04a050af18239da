/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "basic/schedule.h"
#include "helper/steps.h"

/* Best effort: if it is refused here, INIT_RLIMIT says so. */
int step_raise_rlimit(Helper *h, const InitStep *s, Error *e) {
        struct rlimit limit;

        if (getrlimit((int) s->num[0], &limit) == 0 && limit.rlim_max < s->num[1]) {
                limit.rlim_max = s->num[1];
                (void) setrlimit((int) s->num[0], &limit);
        }
        return 0;
}

static const char *rlimit_name(uint64_t resource) {
        static const char *const names[] = {
                [RLIMIT_AS] = "RLIMIT_AS",
                [RLIMIT_CORE] = "RLIMIT_CORE",
                [RLIMIT_CPU] = "RLIMIT_CPU",
                [RLIMIT_DATA] = "RLIMIT_DATA",
                [RLIMIT_FSIZE] = "RLIMIT_FSIZE",
                [RLIMIT_LOCKS] = "RLIMIT_LOCKS",
                [RLIMIT_MEMLOCK] = "RLIMIT_MEMLOCK",
                [RLIMIT_MSGQUEUE] = "RLIMIT_MSGQUEUE",
                [RLIMIT_NICE] = "RLIMIT_NICE",
                [RLIMIT_NOFILE] = "RLIMIT_NOFILE",
                [RLIMIT_NPROC] = "RLIMIT_NPROC",
                [RLIMIT_RSS] = "RLIMIT_RSS",
                [RLIMIT_RTPRIO] = "RLIMIT_RTPRIO",
                [RLIMIT_RTTIME] = "RLIMIT_RTTIME",
                [RLIMIT_SIGPENDING] = "RLIMIT_SIGPENDING",
                [RLIMIT_STACK] = "RLIMIT_STACK",
        };

        return resource < ELEMENTSOF(names) ? names[resource] : "rlimit";
}

int step_rlimit(Helper *h, const InitStep *s, Error *e) {
        struct rlimit limit = { .rlim_cur = s->num[1], .rlim_max = s->num[2] };

        if (setrlimit((int) s->num[0], &limit) < 0)
                return error_errnof(e, errno, "set %s", rlimit_name(s->num[0]));
        return 0;
}

int step_scheduler(Helper *h, const InitStep *s, Error *e) {
        const Schedule schedule = { .policy = (uint32_t) s->num[0],
                                    .nice = (int32_t) s->num[1],
                                    .priority = (int32_t) s->num[2],
                                    .flags = s->num[3],
                                    .runtime = s->num[4],
                                    .deadline = s->num[5],
                                    .period = s->num[6] };
        int r = schedule_set(0, &schedule);

        return r < 0 ? error_errnof(e, r, "set scheduler") : 0;
}

int step_io_priority(Helper *h, const InitStep *s, Error *e) {
        int r = schedule_set_io(0, (int) s->num[0]);

        return r < 0 ? error_errnof(e, r, "set I/O priority") : 0;
}

int step_affinity(Helper *h, const InitStep *s, Error *e) {
        int r = schedule_on(s->str[0]);

        return r < 0 ? error_errnof(e, r, "set CPU affinity to %s", s->str[0]) : 0;
}

int step_personality(Helper *h, const InitStep *s, Error *e) {
        if (personality((unsigned long) s->num[0]) < 0)
                return error_errnof(e, errno, "set personality");
        return 0;
}

int step_memory_policy(Helper *h, const InitStep *s, Error *e) {
        _Alignas(unsigned long) uint8_t bits[512] = {};
        const char *nodes = s->str[0];
        int r = nodes ? parse_bits(nodes, bits, sizeof(bits)) : 0;

        /* The kernel takes one bit less than it is told. */
        if (r >= 0 && syscall(SYS_set_mempolicy, (int) s->num[0], nodes ? bits : NULL,
                              nodes ? 8 * sizeof(bits) + 1 : 0) < 0)
                r = -errno;
        return r < 0 ? error_errnof(e, r, "set memory policy%s%s", nodes ? " for nodes " : "", nodes ?: "") : 0;
}

int step_umask(Helper *h, const InitStep *s, Error *e) {
        (void) umask((mode_t) s->num[0]);
        return 0;
}
