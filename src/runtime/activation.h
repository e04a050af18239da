/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

#include "basic/error.h"

/* Socket activation (sd_listen_fds(3)): the descriptors from 3 on that were passed to this very process. */
typedef struct Activation {
        uint32_t n;
        const char *names;      /* LISTEN_FDNAMES, or NULL */
} Activation;

Activation activation_find(void);

/* How many of them go into a container, when a caller asks for so many. Podman passes the same ones both ways; they are
 * counted once. */
int activation_preserve(const Activation *a, uint32_t asked, uint32_t *ret, Error *reterr);
