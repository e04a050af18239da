/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "host/sd.h"
#include "test.h"

/* With half-libsystemd.c in the place of libsystemd. */
int main(void) {
        TEST("a library that lacks a function is refused each time");
        for (unsigned i = 0; i < 2; i++) {
                _cleanup_error_ Error error = {};

                ASSERT_EQ(sd_load(&error), -ENOPKG);
                ASSERT_STR(error.message, "libsystemd is too old: it has no sd_bus_new");
        }
        return 0;
}
