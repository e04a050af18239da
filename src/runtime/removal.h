/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/manager.h"
#include "runtime/runtime.h"

/* Takes away what create made, of a container in any state, down to its directory; then runs its poststop hooks,
 * whose failures are warnings. Idempotent. Nothing but these hooks is interrupted. *m: a connection that is open anyway, or
 * NULL; afterwards it is closed. */
int removal_run(const Runtime *rt, Container *c, Manager **m, Error *reterr);
/* The same by its own service (HOME_IN_SERVICE), which is not to stop itself: what has ended is forgotten. */
int removal_forget(const Runtime *rt, Container *c, Error *reterr);
