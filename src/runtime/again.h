/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "runtime/runtime.h"

/* A supervised container that there is, started once more, or stopped and started if restart is set, as systemctl does it:
 * until its program runs. What systemd does not know any more, as it forgets each service that has not failed, is made anew
 * from the kept config.json. Of c the lock is held, and let go of. program: for systemd to call. */
int again_start(const Runtime *rt, Container *c, const char *program, bool restart, Error *reterr);
