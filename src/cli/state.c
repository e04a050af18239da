/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "cli/state-object.h"
#include "cli/verb.h"
#include "runtime/find.h"

static int state(const Runtime *rt, void *target, char **words, Error *reterr) {
        _cleanup_container_ Container c = { .dir = -EBADF };
        json_object *object;
        int r;

        r = runtime_find(rt, words[0], LOCK_NONE, &c, reterr);
        if (r < 0)
                return r;
        object = state_object(&c);
        print_object(object, true);
        json_object_put(object);
        return 0;
}

const Verb verb_state = {
        .name = "state", .arguments = "ID", .summary = "Print the state of a container as JSON",
        .example = "state web",
        .order = OPTIONS_ANYWHERE, .min_words = 1, .max_words = 1, .run = state,
};
