/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/container.h"

/* The socket in its directory on which a created container waits to be started. */

/* Makes the socket its gate. Who waits there has made it and listens, as a socket tells where it was made and who called
 * listen(2). */
int container_bind_gate(const Container *c, int socket, Error *reterr);

/* Does something wait there? */
bool container_is_gated(const Container *c);
