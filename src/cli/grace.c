/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/grace.h"

#include <errno.h>

#include "basic/quantity.h"
#include "runtime/runtime.h"

#define GRACE_MAX_USEC (INT32_MAX * UINT64_C(1000000))

/* -1 is for ever, as with Podman. */
static int parse(const char *s, uint64_t *ret) {
        int r = parse_timespan(streq(s, "-1") ? "infinity" : s, ret);

        return r < 0 ? r : *ret > GRACE_MAX_USEC && *ret != UINT64_MAX ? -ERANGE : 0;
}

int grace_parse(const char *word, uint64_t *ret, Error *reterr) {
        *ret = STOP_GRACE_OWN;
        if (word && parse(word, ret) < 0)
                return error_setf(reterr, EINVAL, "--time: expected seconds or a time such as 1min, got \"%s\"", word);
        return 0;
}
