/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/signals.h"

#include <signal.h>
#include <stddef.h>

void signals_reset(void) {
        struct sigaction standard = { .sa_handler = SIG_DFL };
        sigset_t none;

        for (int i = 1; i < NSIG; i++)
                (void) sigaction(i, &standard, NULL); /* refused for KILL and STOP */
        (void) sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
}
