/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "runtime/runtime.h"

/* How long the processes of a container may take to die once they are killed, and systemd to notice. */
#define REMOVAL_TIMEOUT_USEC (10 * 1000000ULL)

/* Ends every process of the container and waits for it. */
int removal_kill(const Container *c, Error *reterr);

/* Kills what is in its cgroup and removes that: one that we made ourselves, or one that systemd has left behind. */
int removal_cgroup(const Container *c, Error *reterr);

/* Unmounts the rootfs where it was mounted in a mount namespace of others; a failure is a warning. */
void removal_unmount(const Runtime *rt, Container *c);

/* Takes away what create made, of a container in any state, down to its directory; then runs its poststop hooks,
 * whose failures are warnings. Idempotent. Nothing but these hooks is interrupted. m: a connection that is open anyway, or
 * NULL. */
int removal_run(const Runtime *rt, Container *c, Manager *m, Error *reterr);
