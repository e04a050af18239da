/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/container.h"

/* What has come of it that systemd was asked to start a container's service: we were called meanwhile, and know more than
 * it. asked: its error, if it has said one. *ret_pid: the process that runs. The container's lock must not be held. */
int service_outcome(const Store *store, const Container *c, const char *unit, Error *asked, pid_t *ret_pid,
                    Error *reterr);
