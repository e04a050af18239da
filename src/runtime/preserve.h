/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/error.h"
#include "host/caller.h"

/* How many descriptors from 3 on go into a container: those of socket activation, and as many as the caller asks for. Podman
 * passes the same ones both ways; they are counted once. */
int preserve_fds(const Caller *caller, uint32_t asked, uint32_t *ret, Error *reterr);
