/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "basic/log.h"
#include "runtime/runtime.h"

/* What keeps it from being stopped, as that it was never started, does not keep it from being deleted. */
static void stop_first(const Runtime *rt, const char *id, uint64_t grace) {
        _cleanup_error_ Error error = {};

        if (runtime_stop(rt, id, 0, grace, &error) < 0 && error.kind != ERROR_NO_CONTAINER)
                log_info("container %s: deleted as it is: %s", id, error.message);
}

int runtime_remove(const Runtime *rt, const char *id, bool force, uint64_t grace, Error *reterr) {
        _cleanup_error_ Error error = {};
        int r;

        if (force)
                stop_first(rt, id, grace);
        r = runtime_delete(rt, id, force, &error);
        if (r < 0 && error.kind == ERROR_WRONG_STATE)
                (void) error_suffixf(&error, "; remove --force does both");
        return r < 0 ? error_move(reterr, &error) : 0;
}
