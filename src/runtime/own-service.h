/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "runtime/creation.h"

/* The service that has called us, and what it is to a container. */

/* For one that is its main process (called_by): what the unit has for that. */
int own_service_gift(Creation *c, ServiceGift *ret, Error *reterr);
/* For one that systemd's own call of us runs in the foreground: its name, for free(), or NULL. Who calls us otherwise may mean
 * the container to be there longer than he is: engines, scripts. */
char *own_service_to_end_with(const Creation *c);
