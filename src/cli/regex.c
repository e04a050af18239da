/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/regex.h"

#include <errno.h>
#include <regex.h>

int regex_for_each(const Runtime *rt, const char *pattern,
                   int (*function)(const Runtime *rt, const char *id, void *userdata, Error *reterr), void *userdata,
                   Error *reterr) {
        _cleanup_store_ Store store = { .fd = -EBADF };
        _cleanup_(arena_done) Arena a = {};
        char **ids = NULL;
        regex_t regex;
        int r, first = 0;

        if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
                return error_setf(reterr, EINVAL, "not a regular expression: %s", pattern);
        r = store_open(rt->root, false, &store, reterr);
        if (r == 0)
                r = store_list(&store, &a, &ids, reterr);
        for (char **id = ids; r == 0 && *id; id++)
                if (regexec(&regex, *id, 0, NULL, 0) == 0) {
                        int one = function(rt, *id, userdata, reterr);

                        first = first ?: one;
                }
        regfree(&regex);
        return r < 0 ? r : first;
}
