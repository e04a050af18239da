/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <signal.h>
#include <stdint.h>

/*
 * For a call that knows no deadline: it is interrupted, and whatever it waits for after that, first after so
 * many microseconds and then again and again. By setitimer(2), which needs nothing that could run out; a SIGALRM
 * that somebody else sends meanwhile arrives when it is over.
 */
typedef struct Alarm {
        struct sigaction action; /* as it was */
        sigset_t mask;
} Alarm;

void alarm_begin(uint64_t usec, Alarm *ret);
void alarm_end(const Alarm *a);
