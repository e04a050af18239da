/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/session.h"

#include <errno.h>
#include <sys/stat.h>

#include "basic/fd.h"
#include "basic/file.h"

/* With the name of the container's unit it has to fit into that of a unit. */
#define NAME_MAX_BYTES 40

bool session_name_is_valid(const char *name) {
        static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_",
                          others[] = "0123456789.-";
        size_t n = 0;

        while (name[n] && (strchr(letters, name[n]) || (n > 0 && strchr(others, name[n]))))
                n++;
        return n > 0 && n <= NAME_MAX_BYTES && !name[n];
}

int session_store_open(const Container *c, bool create, Store *ret, Error *reterr) {
        int fd;

        if (create && mkdirat(c->dir, CONTAINER_SESSIONS, 0700) < 0 && errno != EEXIST)
                return error_errnof(reterr, errno, "cannot make the directory of the sessions of container %s", c->id);
        fd = openat(c->dir, CONTAINER_SESSIONS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 && (errno != ENOENT || create))
                return error_errnof(reterr, errno, "cannot open the directory of the sessions of container %s", c->id);
        *ret = (Store){ .caller = c->caller,
                        .path = xasprintf("the state of container %s", c->id),
                        .fd = fd < 0 ? -EBADF : fd };
        return 0;
}

int session_create(const Store *s, const char *id, const char *name, Container *ret, Error *reterr) {
        _cleanup_error_ Error error = {};
        int r = container_create(s, name, ret, &error);

        if (error.kind == ERROR_EXISTS)
                return error_setf(reterr, EEXIST,
                                  "container %s has a session %s already: delete --session %s %s forgets it "
                                  "when it has ended",
                                  id, name, name, id);
        if (r < 0)
                return error_move(reterr, &error);
        ret->of = xstrdup(id);
        return 0;
}

static int missing(const char *id, const char *name, Error *reterr) {
        return error_setf(reterr, ENXIO, "container %s has no session %s (ps --sessions %s lists them)", id, name, id);
}

int session_open(const Store *s, const char *id, const char *name, LockMode lock, Container *ret, Error *reterr) {
        _cleanup_error_ Error error = {};
        int r;

        if (!session_name_is_valid(name))
                return missing(id, name, reterr);
        r = container_open(s, name, lock, ret, &error);
        if (error.kind == ERROR_NO_CONTAINER)
                return missing(id, name, reterr);
        if (r < 0)
                return error_move(reterr, &error);
        ret->of = xstrdup(id);
        return 0;
}

/* The name of the last that had it; in a, or NULL. */
static const char *name_of_pid(const Store *s, const char *id, uint64_t pid, Arena *a) {
        const char *name = NULL, *created = "";
        char **names;

        if (store_list(s, a, &names, NULL) < 0)
                return NULL;
        for (; *names; names++) {
                _cleanup_container_ Container c = { .dir = -EBADF };

                if (session_open(s, id, *names, LOCK_NONE, &c, NULL) == 0 && c.has_record && c.record.committed &&
                    (uint64_t) c.record.pid == pid && strcmp(c.record.created, created) >= 0) {
                        created = arena_strdup(a, c.record.created);
                        name = *names;
                }
        }
        return name;
}

int session_find(const Container *c, const char *word, LockMode lock, Container *ret, Error *reterr) {
        _cleanup_store_ Store store = { .fd = -EBADF };
        _cleanup_(arena_done) Arena a = {};
        const char *name = word;
        uint64_t pid;
        int r = session_store_open(c, false, &store, reterr);

        if (r < 0)
                return r;
        if (parse_u64(word, &pid) == 0)
                name = name_of_pid(&store, c->id, pid, &a);
        return name ? session_open(&store, c->id, name, lock, ret, reterr) : missing(c->id, word, reterr);
}
