/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/container.h"

#include <dirent.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "host/process.h"
#include "host/trust.h"
#include "oci/container-id.h"

#define CONFIG_MAX_BYTES (64UL * 1024 * 1024)
#define RECORD_MAX_BYTES (16UL * 1024 * 1024)
#define JUST_MADE_SECONDS 10

void container_done(Container *c) {
        c->config = spec_free(c->config);
        record_done(&c->record);
        free(c->id);
        free(c->of);
        c->dir = close_fd(c->dir);
}

static int check_id(const char *id, Error *reterr) {
        if (container_id_is_valid(id))
                return 0;
        return error_setf(reterr, EINVAL,
                          "invalid container id \"%s\": it takes 1 to 200 of the letters, digits and \"_+-.\", the "
                          "first not \"-\" or \".\"",
                          id);
}

static int missing(const char *id, Error *reterr) {
        return error_setf(reterr, ENOENT, "container does not exist: %s", id);
}

static int taken(const char *id, Error *reterr) {
        return error_setf(reterr, EEXIST, "container with given ID already exists: %s", id);
}

int container_check_new(const Store *s, const char *id, Error *reterr) {
        int r = check_id(id, reterr);

        if (r == 0 && s->fd >= 0 && faccessat(s->fd, id, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                r = taken(id, reterr);
        return r;
}

/* -EPERM, with a sentence, if it is not ours: where everybody may write, anybody may have made one. */
static int open_directory(const Store *s, const char *id, Error *reterr) {
        _cleanup_free_ char *what = xasprintf("the state of container %s", id);
        _cleanup_close_ int dir = openat(s->fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int r;

        if (dir < 0)
                return -errno;
        r = trust_directory(dir, what, reterr);
        return r < 0 ? r : TAKE_FD(dir);
}

int container_create(const Store *s, const char *id, Container *ret, Error *reterr) {
        _cleanup_close_ int dir = -EBADF;
        int r;

        r = check_id(id, reterr);
        if (r < 0)
                return r;
        if (mkdirat(s->fd, id, 0700) < 0)
                return errno == EEXIST ? taken(id, reterr)
                                       : error_errnof(reterr, errno, "cannot make the state directory of %s in %s", id,
                                                      s->path);
        dir = open_directory(s, id, reterr);
        r = dir < 0 ? dir : lock_directory(dir, LOCK_WAIT);
        if (r < 0 && r != -ENOENT)
                (void) unlinkat(s->fd, id, AT_REMOVEDIR);
        if (r < 0)
                return error_errnof(reterr, r, "cannot lock the new state directory of %s", id);
        /* Before we had it locked ours may have been deleted, and that of another creator be at its place. */
        if (faccessat(dir, "record", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                return taken(id, reterr);
        *ret = (Container){ .caller = s->caller, .id = xstrdup(id), .dir = TAKE_FD(dir), .locked = true,
                              .of_this_boot = true };
        return 0;
}

static bool is_of_this_boot(const Record *r) {
        _cleanup_free_ char *boot = boot_id();

        return boot && streq_null(r->boot_id, boot);
}

static int read_record(Container *c, Error *reterr) {
        _cleanup_free_ char *bytes = NULL;
        int r;

        r = read_file_at(c->dir, "record", RECORD_MAX_BYTES, &bytes, NULL);
        if (r == -ENOENT)
                return 0;
        c->never_record = r == 0 && !isempty(bytes) && !startswith(bytes, "version=");
        if (r == 0)
                r = record_decode(bytes, &c->record);
        if (r == -EBADMSG) { /* nothing of it can be trusted; what is left of the container can still be deleted */
                c->damaged = true;
                return 0;
        }
        if (r < 0)
                return error_errnof(reterr, r, "cannot read the record of container %s", c->id);
        c->has_record = true;
        c->of_this_boot = is_of_this_boot(&c->record);
        return 0;
}

static bool is_dots(const char *name) {
        return streq(name, ".") || streq(name, "..");
}

/* What we put into a directory, the halves of what was being written with it. */
static bool is_our_name(const char *name) {
        static const char *const names[] = { "record", "config.json", "gate", "exit", "failure", "request" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                const char *rest = startswith(name[0] == '.' ? name + 1 : name, names[i]);

                if (rest && (name[0] == '.' ? rest[0] == '.' && endswith(rest, ".tmp") : rest[0] == '\0'))
                        return true;
        }
        return false;
}

/* A create may have died before it wrote a record, and a record may be damaged. What else there is, as with --root /, is
 * somebody's: other files, a bundle, which has no record, a file that is called so and was never one. */
static bool is_somebodys(const Container *c) {
        int copy = openat(c->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = copy < 0 ? NULL : fdopendir(copy);
        bool others = c->never_record;
        struct dirent *entry;
        struct stat st;

        while (dir && !others && (entry = readdir(dir)))
                others = !is_dots(entry->d_name) &&
                         (!is_our_name(entry->d_name) || (!c->damaged && streq(entry->d_name, "config.json")));
        if (dir)
                closedir(dir);
        return others || fstat(c->dir, &st) < 0 || (st.st_mode & 0777) != 0700;
}

/* By a create that is about to lock it; it may also have died there, which is seen a little later. */
static bool was_just_made(const struct stat *st) {
        return time(NULL) - st->st_mtime < JUST_MADE_SECONDS;
}

/* Without a committed record: a create that begins or goes on, the leavings of one, or a delete that is nearly done? */
static int look_for_lock(Container *c, Error *reterr) {
        struct stat st;
        int r = 0;

        c->found_lock = flock(c->dir, LOCK_SH | LOCK_NB) < 0;
        if (!c->found_lock) { /* it may have been committed since we read */
                record_done(&c->record);
                c->has_record = c->damaged = c->of_this_boot = false;
                r = read_record(c, reterr);
        }
        if (r == 0 && !c->has_record && !c->damaged &&
            (c->found_lock || (fstat(c->dir, &st) == 0 && (st.st_nlink == 0 || was_just_made(&st)))))
                r = missing(c->id, reterr); /* not yet, or not any more */
        return r;
}

int container_open(const Store *s, const char *id, LockMode lock, Container *ret, Error *reterr) {
        _cleanup_container_ Container c = { .caller = s->caller, .dir = -EBADF };
        int r;

        r = check_id(id, reterr);
        if (r < 0)
                return r;
        c.dir = s->fd < 0 ? -ENOENT : open_directory(s, id, reterr);
        if (c.dir < 0)
                return c.dir == -ENOENT ? missing(id, reterr)
                                        : error_errnof(reterr, c.dir, "cannot open the state of container %s", id);
        c.id = xstrdup(id);
        if (lock != LOCK_NONE) {
                r = lock_directory(c.dir, lock);
                if (r == -ENOENT)
                        return missing(id, reterr);
                if (r == -ETIMEDOUT)
                        return error_setf(reterr, ETIMEDOUT,
                                          "container %s is busy: another command changes it, and does not end", id);
                if (r < 0)
                        return error_errnof(reterr, r, "cannot lock the state of container %s", id);
                c.locked = true;
        }
        r = read_record(&c, reterr);
        if (r == 0 && lock == LOCK_NONE && !c.record.committed)
                r = look_for_lock(&c, reterr);
        if (r == 0 && !c.has_record && is_somebodys(&c))
                r = missing(id, reterr);
        if (r < 0)
                return r;
        *ret = c;
        c = (Container){ .dir = -EBADF };
        return 0;
}

void container_unlock(Container *c) {
        (void) flock(c->dir, LOCK_UN);
        c->locked = false;
}

int container_save(Container *c, Error *reterr) {
        _cleanup_text_ Text text = {};
        int r;

        record_encode(&c->record, &text);
        r = write_file_atomic_at(c->dir, "record", text.s, text.n, 0600);
        if (r < 0)
                return error_errnof(reterr, r, "cannot write the record of container %s", c->id);
        c->has_record = true;
        return 0;
}

int container_read_config(Container *c, Spec **ret, Error *reterr) {
        _cleanup_free_ char *config = NULL;
        size_t size;
        int r = 0;

        if (!c->config) {
                r = read_file_at(c->dir, "config.json", CONFIG_MAX_BYTES, &config, &size);
                r = r < 0 ? error_errnof(reterr, r, "cannot be read")
                          : spec_parse_kept(config, size, &c->config, reterr);
        }
        if (r < 0) {
                error_prefixf(reterr, "the copy of config.json of container %s", c->id);
                return r;
        }
        *ret = c->config;
        return 0;
}

int container_complete(Container *c, Error *reterr) {
        Spec *config;
        int r;

        if (!c->has_record || c->record.version != 1)
                return 0;
        r = container_read_config(c, &config, reterr);
        if (r < 0)
                return r;
        record_keep(&c->record, config);
        c->record.version = RECORD_VERSION;
        return 0;
}

/* Where version 0.1.0 listened for what the container says. */
static void remove_notify(int dir) {
        (void) unlinkat(dir, "notify/notify.sock", 0);
        (void) unlinkat(dir, "notify", AT_REMOVEDIR);
}

static void remove_file(int dir, const char *name) {
        if (is_our_name(name))
                (void) unlinkat(dir, name, 0);
        else if (streq(name, "notify"))
                remove_notify(dir);
}

/* What is in it, one after the other. */
static void for_each_name(int dir, void (*remove)(int dir, const char *name)) {
        int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        DIR *entries = copy < 0 ? NULL : fdopendir(copy);
        struct dirent *entry;

        while (entries && (entry = readdir(entries)))
                if (!is_dots(entry->d_name))
                        remove(dir, entry->d_name);
        if (entries)
                closedir(entries);
}

/* How it ended may be written down at this moment: once. */
static void remove_session(int dir, const char *name) {
        _cleanup_close_ int session = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        for (unsigned i = 0; session >= 0 && i < 3; i++) {
                for_each_name(session, remove_file);
                if (unlinkat(dir, name, AT_REMOVEDIR) == 0 || errno != ENOTEMPTY)
                        return;
        }
}

static void remove_sessions(int dir) {
        _cleanup_close_ int sessions = openat(dir, CONTAINER_SESSIONS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (sessions < 0)
                return;
        for_each_name(sessions, remove_session);
        (void) unlinkat(dir, CONTAINER_SESSIONS, AT_REMOVEDIR);
}

int container_remove(Container *c, Error *reterr) {
        _cleanup_free_ char *path = xasprintf("../%s", c->id);

        remove_sessions(c->dir);
        for_each_name(c->dir, remove_file);
        if (unlinkat(c->dir, path, AT_REMOVEDIR) < 0 && errno != ENOENT)
                return error_errnof(reterr, errno, "cannot remove the state directory of container %s", c->id);
        container_unlock(c); /* for who waits to see that it is gone */
        return 0;
}

/* Inodes of different file systems, as each tmpfs is one, have the same numbers. */
uint64_t container_mark(const Container *c) {
        struct stat st;

        return fstat(c->dir, &st) < 0 ? 0 : st.st_ino ^ (uint64_t) st.st_dev << 32;
}
