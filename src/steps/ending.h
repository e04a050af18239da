/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/container.h"

/* How long the processes of a container may take to die once they are killed, and systemd to notice. */
#define ENDING_TIMEOUT_USEC (10 * 1000000ULL)
/* For what is over in a moment, if nobody is in the way, and how often it is looked at. */
#define ENDING_PASSING_USEC UINT64_C(1000000)
#define ENDING_LOOK_USEC 5000

/* SIGKILL for the first process, by its pidfd (negative: it has ended), and a moment for its end. That comes before anything
 * is looked up in the cgroup: a process of the container may keep the lock of that directory, and no signal ends who waits for
 * it. In a pid namespace of its own it ends with the first one. */
int ending_kill_first(const Container *c, int init, Error *reterr);
/* Has the main process of its service ended? Then systemd ends the others, and may start it again in that cgroup. */
bool ending_is_left_to_systemd(const Container *c);
/* Ends every process of the container and waits for it. */
int ending_kill(const Container *c, Error *reterr);
/* Kills what is in its cgroup and removes that. */
int ending_remove_cgroup(const Container *c, Error *reterr);
