/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/signals.h"

#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "basic/loop.h"

void signals_reset(void) {
        struct sigaction standard = { .sa_handler = SIG_DFL };
        sigset_t none;

        for (int i = 1; i < NSIG; i++)
                (void) sigaction(i, &standard, NULL); /* refused for KILL and STOP */
        (void) sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
}

unsigned signals_take_interrupt(void) {
        struct signalfd_siginfo info = {};

        if (loop_is_interrupted())
                (void) !read(loop_local()->interrupt, &info, sizeof(info));
        return info.ssi_signo;
}
