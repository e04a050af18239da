/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/alarm.h"

#include <stddef.h>
#include <sys/time.h>
#include <unistd.h>

#define SECOND 1000000
/* The first may fire before the wait has begun. */
#define INTERVAL_USEC 10000

static volatile sig_atomic_t sent; /* by a process, and not by the timer */

static void on_alarm(int number, siginfo_t *info, void *context) {
        if (info->si_code != SI_KERNEL)
                sent = 1;
}

/* Nowhere between these two is the signal let through without the handler. */
void alarm_begin(uint64_t usec, Alarm *ret) {
        const struct sigaction action = { .sa_sigaction = on_alarm, .sa_flags = SA_SIGINFO };
        const struct itimerval timer = {
                .it_value = { .tv_sec = (time_t) (usec / SECOND), .tv_usec = (suseconds_t) (usec % SECOND) },
                .it_interval.tv_usec = INTERVAL_USEC,
        };
        sigset_t alarm_only;

        sent = 0;
        (void) sigemptyset(&alarm_only);
        (void) sigaddset(&alarm_only, SIGALRM);
        (void) sigaction(SIGALRM, &action, &ret->action);
        (void) pthread_sigmask(SIG_UNBLOCK, &alarm_only, &ret->mask);
        (void) setitimer(ITIMER_REAL, &timer, NULL);
}

void alarm_end(const Alarm *a) {
        const struct itimerval none = {};

        (void) setitimer(ITIMER_REAL, &none, NULL);
        (void) pthread_sigmask(SIG_SETMASK, &a->mask, NULL);
        (void) sigaction(SIGALRM, &a->action, NULL);
        if (sent)
                (void) kill(getpid(), SIGALRM);
}
