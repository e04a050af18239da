/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "helper/steps.h"

/* What sched_setattr(2) takes; libc has a name for it only since 2.41. */
typedef struct SchedulerAttributes {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
} SchedulerAttributes;

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
        SchedulerAttributes a = { .size = sizeof(a),
                                  .policy = (uint32_t) s->num[0],
                                  .nice = (int32_t) s->num[1],
                                  .priority = (uint32_t) s->num[2],
                                  .flags = s->num[3],
                                  .runtime = s->num[4],
                                  .deadline = s->num[5],
                                  .period = s->num[6] };

        if (syscall(SYS_sched_setattr, 0, &a, 0) < 0)
                return error_errnof(e, errno, "set scheduler");
        return 0;
}

int step_io_priority(Helper *h, const InitStep *s, Error *e) {
        if (syscall(SYS_ioprio_set, 1 /* a process */, 0, (int) s->num[0]) < 0)
                return error_errnof(e, errno, "set I/O priority");
        return 0;
}

/* "0-3,7" as a bit mask of n bytes. */
static int parse_list(const char *list, uint8_t *bits, size_t size) {
        for (const char *p = list; *p;) {
                unsigned long first, last;
                char *end;

                first = last = strtoul(p, &end, 10);
                if (end == p)
                        return -EINVAL;
                if (*end == '-')
                        last = strtoul(end + 1, &end, 10);
                if (first > last || last >= 8 * size || (*end != ',' && *end != '\0'))
                        return -EINVAL;
                for (unsigned long i = first; i <= last; i++)
                        bits[i / 8] |= (uint8_t) (1U << (i % 8));
                p = *end ? end + 1 : end;
        }
        return 0;
}

int step_affinity(Helper *h, const InitStep *s, Error *e) {
        _Alignas(unsigned long) uint8_t bits[1024] = {};

        if (parse_list(s->str[0], bits, sizeof(bits)) < 0)
                return error_setf(e, EINVAL, "set CPU affinity: \"%s\" is not a list of CPUs", s->str[0]);
        if (syscall(SYS_sched_setaffinity, 0, sizeof(bits), bits) < 0)
                return error_errnof(e, errno, "set CPU affinity to %s", s->str[0]);
        return 0;
}

int step_personality(Helper *h, const InitStep *s, Error *e) {
        if (personality((unsigned long) s->num[0]) < 0)
                return error_errnof(e, errno, "set personality");
        return 0;
}

int step_memory_policy(Helper *h, const InitStep *s, Error *e) {
        _Alignas(unsigned long) uint8_t bits[512] = {};
        const char *nodes = s->str[0] ?: "";

        if (parse_list(nodes, bits, sizeof(bits)) < 0)
                return error_setf(e, EINVAL, "set memory policy: \"%s\" is not a list of nodes", nodes);
        /* The kernel takes one bit less than it is told. */
        if (syscall(SYS_set_mempolicy, (int) s->num[0], nodes[0] ? bits : NULL,
                    nodes[0] ? 8 * sizeof(bits) + 1 : 0) < 0)
                return error_errnof(e, errno, "set memory policy");
        return 0;
}

int step_umask(Helper *h, const InitStep *s, Error *e) {
        (void) umask((mode_t) s->num[0]);
        return 0;
}
