/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/* When and where a process runs. pid 0: this one. All functions return -errno. */

/* The CPUs of a list ("0-3,7") for this process, and what it makes. NULL: all that there are and will be. */
int schedule_on(const char *cpus);

typedef struct Schedule {
        uint32_t policy;                    /* SCHED_* */
        int32_t nice, priority;
        uint64_t flags;                     /* SCHED_FLAG_* */
        uint64_t runtime, deadline, period; /* ns */
} Schedule;

int schedule_set(pid_t pid, const Schedule *s);

/* As ioprio_set(2) takes it: class << 13 | priority. */
int schedule_set_io(pid_t pid, int value);
