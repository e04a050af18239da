/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/unit-ref.h"

#include <unistd.h>

#include "basic/alloc.h"
#include "basic/str.h"
#include "host/bus.h"

#define INVOCATION_DIGITS 32

char *unit_invocation(const Caller *caller, const char *name, bool user) {
        _cleanup_free_ char *directory = user ? user_runtime_directory(caller) : xstrdup("/run"), *path = NULL;
        char digits[INVOCATION_DIGITS + 1];

        if (!directory)
                return NULL;
        path = xasprintf("%s/systemd/units/invocation:%s", directory, name);
        if (readlink(path, digits, sizeof(digits)) != INVOCATION_DIGITS)
                return NULL;
        digits[INVOCATION_DIGITS] = '\0';
        return xstrdup(digits);
}
