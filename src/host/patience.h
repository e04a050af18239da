/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/*
 * How long somebody is waited for who is to answer: not long when he does nothing, as one that is stopped, or has given up,
 * never answers; longer when he is at work, as a reload of thousands of units on a slow computer keeps systemd from
 * answering, too.
 */
typedef struct Patience {
        pid_t pid;              /* of who is waited for; 0: not known */
        uint64_t begin;         /* of the wait */
        uint64_t end;           /* of it, if he does nothing meanwhile */
        uint64_t cpu_ticks;     /* that he had used when it began */
} Patience;

void patience_begin(Patience *p, pid_t pid);
/* Until when he may be silent; later, each time, if he is seen at work, but never after the deadline. */
uint64_t patience_until(Patience *p, uint64_t deadline);
