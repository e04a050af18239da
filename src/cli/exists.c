/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "cli/verb.h"
#include "runtime/find.h"

#define STATUS_NOT_THERE 1
#define STATUS_FAILURE 2 /* what cannot be looked at may be there */

static int exists(const Runtime *rt, void *target, char **words, Error *reterr) {
        _cleanup_container_ Container c = { .dir = -EBADF };
        _cleanup_error_ Error error = {};
        int r = runtime_find(rt, words[0], LOCK_NONE, &c, &error);

        if (error.kind == ERROR_NO_CONTAINER)
                return STATUS_NOT_THERE;
        return r < 0 ? error_move(reterr, &error) : 0;
}

const Verb verb_exists = {
        .name = "exists", .arguments = "ID", .summary = "Is there such a container? By the exit status",
        .example = "exists web",
        .order = OPTIONS_ANYWHERE, .min_words = 1, .max_words = 1, .failure_status = STATUS_FAILURE, .run = exists,
};
