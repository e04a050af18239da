/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/patience.h"

#include <stdbool.h>
#include <unistd.h>

#include "basic/fd.h"
#include "host/process.h"

#define SILENCE_USEC (5 * 1000000ULL)
#define LOOK_AGAIN_USEC 500000ULL

/* Of a CPU: what a systemd that has nothing to do needs is much less, what a busy one gets on a busy computer is more. */
#define WORK_PERCENT 5

void patience_begin(Patience *p, pid_t pid) {
        ProcessStat stat = {};

        (void) process_stat(pid, &stat);
        *p = (Patience){ .pid = pid, .begin = now_usec(), .cpu_ticks = stat.cpu_ticks };
        p->end = p->begin + SILENCE_USEC;
}

static bool is_at_work(const Patience *p) {
        uint64_t spent = now_usec() - p->begin, used;
        ProcessStat stat;

        if (p->pid <= 0 || process_stat(p->pid, &stat) < 0 || stat.cpu_ticks < p->cpu_ticks)
                return false;
        used = (stat.cpu_ticks - p->cpu_ticks) * 1000000 / (uint64_t) sysconf(_SC_CLK_TCK);
        return stat.state == 'R' || stat.state == 'D' || used >= spent * WORK_PERCENT / 100;
}

uint64_t patience_until(Patience *p, uint64_t deadline) {
        uint64_t now = now_usec();

        if (now >= p->end && is_at_work(p))
                p->end = now + LOOK_AGAIN_USEC;
        return MIN(p->end, deadline);
}
