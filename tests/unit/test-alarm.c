/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

#include "basic/alarm.h"
#include "test.h"

#define HOUR UINT64_C(3600000000)

static bool is_pending(void) {
        sigset_t set;

        return sigpending(&set) == 0 && sigismember(&set, SIGALRM);
}

static void test_interrupts(void) {
        Alarm alarm;

        alarm_begin(1, &alarm);
        for (int i = 0; i < 3; i++) {
                ASSERT_EQ(poll(NULL, 0, -1), -1);
                ASSERT_EQ(errno, EINTR);
        }
        alarm_end(&alarm);
        ASSERT(!is_pending());
}

static void test_from_others(bool before) {
        Alarm alarm;

        if (before)
                (void) kill(getpid(), SIGALRM);
        alarm_begin(HOUR, &alarm);
        if (!before)
                (void) kill(getpid(), SIGALRM);
        ASSERT(!is_pending());
        alarm_end(&alarm);
        ASSERT(is_pending());
}

/* What is pending is taken away when it is ignored. */
static void forget(void) {
        (void) signal(SIGALRM, SIG_IGN);
        (void) signal(SIGALRM, SIG_DFL);
        ASSERT(!is_pending());
}

int main(void) {
        struct sigaction action;
        sigset_t all;

        (void) sigfillset(&all);
        (void) sigprocmask(SIG_BLOCK, &all, NULL);
        TEST("each wait is interrupted");
        test_interrupts();
        TEST("a signal that somebody else sends is not lost");
        test_from_others(false);
        forget();
        test_from_others(true);
        forget();
        TEST("all is as before");
        ASSERT(sigaction(SIGALRM, NULL, &action) == 0 && action.sa_handler == SIG_DFL);
        return 0;
}
