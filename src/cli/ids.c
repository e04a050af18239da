/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/ids.h"

#include <errno.h>
#include <regex.h>

#include "basic/alloc.h"
#include "basic/log.h"

/* Removes those that do not match, in place. */
static int filter(char **ids, const char *pattern, Error *reterr) {
        size_t kept = 0;
        regex_t regex;

        if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
                return error_setf(reterr, EINVAL, "not a regular expression: %s", pattern);
        for (char **id = ids; *id; id++)
                if (regexec(&regex, *id, 0, NULL, 0) == 0)
                        ids[kept++] = *id;
        ids[kept] = NULL;
        regfree(&regex);
        return 0;
}

/* As a word of its own. */
static bool names(const char *message, const char *id) {
        size_t n = strlen(id);

        for (const char *p = message; (p = strstr(p, id)); p++)
                if ((p == message || p[-1] == ' ') && strchr(" :", p[n]))
                        return true;
        return false;
}

/* One by one: goes on after a failure. */
static int on_all(const Runtime *rt, char **ids, OnContainer function, void *userdata) {
        int status = 0;

        for (; *ids; ids++) {
                _cleanup_error_ Error error = {};
                int r;

                rt->log->container = *ids;
                r = function(rt, *ids, userdata, &error);

                if (r < 0) {
                        const char *message = error.message ?: errno_text(r);
                        bool named = names(message, *ids);

                        log_message(LOG_ERROR, "%s%s%s", named ? "" : *ids, named ? "" : ": ", message);
                        status = 1;
                }
        }
        return status;
}

static int on_matching(const Runtime *rt, const char *pattern, OnContainer function, void *userdata, Error *reterr) {
        _cleanup_store_ Store store = { .fd = -EBADF };
        _cleanup_(arena_done) Arena a = {};
        char **ids = NULL;
        int r;

        r = store_open(rt->root, &rt->caller, false, &store, reterr);
        if (r == 0)
                r = store_list(&store, &a, &ids, reterr);
        if (r == 0)
                r = filter(ids, pattern, reterr);
        return r < 0 || !ids ? r : on_all(rt, ids, function, userdata);
}

int on_each(const Runtime *rt, char **words, bool regex, OnContainer function, void *userdata, Error *reterr) {
        int status = 0;

        if (!regex)
                return words[1] ? on_all(rt, words, function, userdata) : function(rt, words[0], userdata, reterr);
        for (; *words; words++) {
                int r = on_matching(rt, *words, function, userdata, reterr);

                if (r < 0)
                        return r;
                status = MAX(status, r);
        }
        return status;
}
