/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

/* Socket activation (sd_listen_fds(3)): the descriptors from 3 on that were passed to this very process. */
typedef struct Activation {
        uint32_t n;
        const char *names;      /* LISTEN_FDNAMES, or NULL */
} Activation;

Activation activation_find(void);
