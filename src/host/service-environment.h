/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/manager.h"

/* Of what systemd has called us with, in that service: the variables that the unit and its drop-ins have set ("NAME=VALUE",
 * in a; NULL: none). */
int service_environment(Manager *m, const char *service, const char *const *all, Arena *a, const char ***ret,
                        Error *reterr);
