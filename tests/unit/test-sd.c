/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dlfcn.h>
#include <errno.h>

#include "host/sd.h"
#include "test.h"

/* With half-libsystemd.c in the place of libsystemd. */
int main(void) {
        TEST("a library that lacks a function is refused each time, and not kept");
        for (unsigned i = 0; i < 2; i++) {
                _cleanup_error_ Error error = {};

                ASSERT_EQ(sd_load(&error), -ENOPKG);
                ASSERT_STR(error.message, "scopes, limits and logs of containers need a newer libsystemd.so.0: "
                                          "it has no sd_bus_new");
                ASSERT(!sd.bus_open_system);
                ASSERT(!dlopen("libsystemd.so.0", RTLD_NOW | RTLD_NOLOAD));
        }
        return 0;
}
