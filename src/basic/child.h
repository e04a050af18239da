/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * A child's end, waited for in the loop and collected. *ret_status as waitpid(2) has it. -ETIMEDOUT at the deadline, -EINTR
 * when nothing is to be waited for any more: it is still there then. -ECHILD: it is none of ours, or somebody else has
 * collected it.
 */
int child_wait(pid_t pid, uint64_t deadline, int *ret_status);

/* Kills it and collects it, whatever interrupts us. group: with its process group. */
void child_kill(pid_t pid, bool group);
