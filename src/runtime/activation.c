/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/activation.h"

#include <stdlib.h>
#include <unistd.h>

#include "basic/str.h"

#define LISTEN_FDS_MAX 1024

Activation activation_find(void) {
        const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");
        uint32_t value, us;

        if (!pid || !n || parse_u32(pid, &us) < 0 || us != (uint32_t) getpid() || parse_u32(n, &value) < 0 ||
            value == 0 || value > LISTEN_FDS_MAX)
                return (Activation){};
        return (Activation){ .n = value, .names = getenv("LISTEN_FDNAMES") };
}
