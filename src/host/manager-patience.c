/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How long systemd is waited for: not long when it does nothing, as one that is stopped, or has given up, never answers;
 * longer when it is at work, as a reload of thousands of units on a slow computer keeps it from answering, too. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "basic/fd.h"
#include "host/manager-internal.h"
#include "host/process.h"

#define LOOK_AGAIN_USEC 500000ULL

/* Of a CPU: what a systemd that has nothing to do needs is much less, what a busy one gets on a busy computer is more. */
#define WORK_PERCENT 5

/* Who is at the other end: the user's systemd, or who listened for it. */
static pid_t find_pid(const Manager *m) {
        struct ucred peer = {};
        socklen_t size = sizeof(peer);

        if (!m->user)
                return 1;
        if (!m->bus || getsockopt(sd.bus_get_fd(m->bus), SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
                return m->pid; /* it was there before */
        return peer.pid;
}

void manager_expect(Manager *m) {
        ProcessStat stat = {};

        m->pid = find_pid(m);
        (void) process_stat(m->pid, &stat);
        m->asked = now_usec();
        m->silent_until = m->asked + MANAGER_SILENCE_USEC;
        m->cpu_ticks = stat.cpu_ticks;
}

bool manager_is_at_work(const Manager *m) {
        uint64_t spent = now_usec() - m->asked, used;
        ProcessStat stat;

        if (m->pid <= 0 || process_stat(m->pid, &stat) < 0 || stat.cpu_ticks < m->cpu_ticks)
                return false;
        used = (stat.cpu_ticks - m->cpu_ticks) * 1000000 / (uint64_t) sysconf(_SC_CLK_TCK);
        return stat.state == 'R' || stat.state == 'D' || used >= spent * WORK_PERCENT / 100;
}

uint64_t manager_patience(Manager *m, uint64_t deadline) {
        uint64_t now = now_usec();

        if (now >= m->silent_until && manager_is_at_work(m))
                m->silent_until = now + LOOK_AGAIN_USEC;
        return MIN(m->silent_until, deadline);
}

int manager_silence(const Manager *m, Error *reterr) {
        const char *systemd = m->user ? "the user's systemd" : "systemd";

        return error_setf(reterr, ETIMEDOUT, "%s does not answer", sd.bus_is_ready(m->bus) > 0 ? systemd : m->peer);
}
