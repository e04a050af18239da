/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loads all that is loaded on demand, for test-library to see what that is. */
#include "host/sd.h"
#include "host/seccomp-library.h"
#include "test.h"

int main(void) {
        const SeccompLibrary *seccomp;

        ASSERT_EQ(sd_load(NULL), 0);
        ASSERT_EQ(seccomp_library(&seccomp, NULL), 0);
        return 0;
}
