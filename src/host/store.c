/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/store.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "host/cgroup.h"
#include "host/process.h"
#include "host/trust.h"
#include "oci/container-id.h"

#define CONFIG_MAX_BYTES (64UL * 1024 * 1024)
#define RECORD_MAX_BYTES (16UL * 1024 * 1024)
#define JUST_MADE_SECONDS 10
#define ENDING_USEC 2000000

void store_done(Store *s) {
        free(s->path);
        s->fd = close_fd(s->fd);
}

/* The directory, or the one above it in which it is to be, or the one above that. */
static int open_existing(const char *path, Error *reterr) {
        _cleanup_free_ char *copy = xstrdup(path);

        for (char *slash = copy; slash;) {
                int fd = open_named(copy, O_PATH | O_DIRECTORY, 0, NULL);

                if (fd >= 0)
                        return fd;
                if (fd != -ENOENT)
                        return open_named(copy, O_PATH | O_DIRECTORY, 0, reterr);
                slash = strrchr(copy, '/');
                if (slash)
                        slash[slash == copy] = '\0';
        }
        return error_passf(reterr, ENOENT, "%s", errno_text(ENOENT));
}

static int make_directories(const char *path) {
        _cleanup_free_ char *copy = xstrdup(path);

        for (char *p = copy + 1; (p = strchr(p, '/')); p++) {
                *p = '\0';
                if (mkdir(copy, 0755) < 0 && errno != EEXIST)
                        return -errno;
                *p = '/';
        }
        return mkdir(copy, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int make_root(const char *path, const char *what, Error *reterr) {
        _cleanup_close_ int existing = open_existing(path, reterr);
        int r;

        if (existing < 0)
                return error_prefixf(reterr, "cannot make %s", what);
        r = trust_path(existing, what, reterr);
        if (r < 0)
                return r;
        r = make_directories(path);
        return r < 0 ? error_errnof(reterr, r, "cannot make %s", what) : 0;
}

int store_open(const char *path, const Caller *caller, bool create, Store *ret, Error *reterr) {
        _cleanup_free_ char *what = xasprintf("the root directory %s", path);
        _cleanup_close_ int fd = open_named(path, O_RDONLY | O_DIRECTORY, 0, NULL);
        int r;

        if (fd == -ENOENT && create) {
                r = make_root(path, what, reterr);
                if (r < 0)
                        return r;
        }
        if (fd < 0 && (fd != -ENOENT || create)) {
                fd = open_named(path, O_RDONLY | O_DIRECTORY, 0, reterr);
                if (fd < 0)
                        return error_prefixf(reterr, "cannot open %s", what);
        }
        r = fd < 0 ? 0 : trust_path(fd, what, reterr);
        if (r < 0)
                return r;
        *ret = (Store){ .caller = caller, .path = xstrdup(path), .fd = TAKE_FD(fd) };
        return 0;
}

static int compare(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

int store_list(const Store *s, Arena *a, char ***ret, Error *reterr) {
        _cleanup_free_ char **found = NULL;
        struct dirent *entry;
        size_t n = 0;
        DIR *dir;
        int fd;

        fd = s->fd < 0 ? -EBADF : openat(s->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (s->fd >= 0 && fd < 0)
                return error_errnof(reterr, errno, "cannot read the root directory %s", s->path);
        dir = fd < 0 ? NULL : fdopendir(fd);
        while (dir && (entry = readdir(dir)))
                if (container_id_is_valid(entry->d_name)) {
                        GREW(found, n);
                        found[n++] = arena_strdup(a, entry->d_name);
                }
        if (dir)
                closedir(dir);
        if (n > 0)
                qsort(found, n, sizeof(*found), compare);
        *ret = arena_calloc(a, n + 1, sizeof(char *));
        if (n > 0)
                memcpy(*ret, found, n * sizeof(char *));
        return 0;
}

void container_done(Container *c) {
        c->config = spec_free(c->config);
        record_done(&c->record);
        free(c->id);
        c->dir = close_fd(c->dir);
}

static int check_id(const char *id, Error *reterr) {
        return container_id_is_valid(id)
                ? 0 : error_setf(reterr, EINVAL, "invalid container id \"%s\": it takes 1 to 200 of the letters, digits "
                                 "and \"_+-.\", the first not \"-\" or \".\"", id);
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
                return errno == EEXIST
                        ? taken(id, reterr)
                        : error_errnof(reterr, errno, "cannot make the state directory of %s in %s", id, s->path);
        dir = open_directory(s, id, reterr);
        r = dir < 0 ? dir : lock_directory(dir, LOCK_WAIT);
        if (r < 0 && r != -ENOENT)
                (void) unlinkat(s->fd, id, AT_REMOVEDIR);
        if (r < 0)
                return error_errnof(reterr, r, "cannot lock the new state directory of %s", id);
        /* Before we had it locked ours may have been deleted, and that of another creator be at its place. */
        if (faccessat(dir, "record", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                return taken(id, reterr);
        *ret = (Container){ .caller = s->caller, .id = xstrdup(id), .dir = TAKE_FD(dir), .locked = true };
        return 0;
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
        return 0;
}

static bool is_dots(const char *name) {
        return streq(name, ".") || streq(name, "..");
}

/* What we put into a directory, the halves of what was being written with it. */
static bool is_our_name(const char *name) {
        static const char *const names[] = { "record", "config.json", "gate", "exit", "failure" };

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
                c->has_record = c->damaged = false;
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
                        return error_setf(reterr, ETIMEDOUT, "container %s is busy: another command changes it, and does not "
                                          "end", id);
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
                r = r < 0 ? error_errnof(reterr, r, "cannot be read") : spec_parse_kept(config, size, &c->config, reterr);
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

int container_remove(Container *c, Error *reterr) {
        _cleanup_free_ char *path = xasprintf("../%s", c->id);
        struct dirent *entry;
        int copy;
        DIR *dir;

        copy = openat(c->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        dir = copy < 0 ? NULL : fdopendir(copy);
        while (dir && (entry = readdir(dir)))
                if (is_our_name(entry->d_name))
                        (void) unlinkat(c->dir, entry->d_name, 0);
                else if (streq(entry->d_name, "notify"))
                        remove_notify(c->dir);
        if (dir)
                closedir(dir);
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

bool container_is_of_this_boot(const Container *c) {
        _cleanup_free_ char *boot = boot_id();

        return boot && streq_null(c->record.boot_id, boot);
}

int container_open_init(const Container *c) {
        return c->record.committed && container_is_of_this_boot(c)
                ? process_open(c->record.pid, c->record.start_time) : -ESRCH;
}

static bool init_is_alive(const Container *c) {
        ProcessStat stat;

        return c->record.committed && process_stat(c->record.pid, &stat) == 0 && !stat.dead &&
               stat.start_time == c->record.start_time && container_is_of_this_boot(c);
}

static void gate_address(const Container *c, struct sockaddr_un *ret) {
        *ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
        /* Through the descriptor: the directory's own path may be longer than an address. */
        snprintf(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d/gate", c->dir);
}

/* A socket of another type is refused in another way than where there is none, and so nobody hears of it. */
static bool is_gated(const Container *c) {
        _cleanup_close_ int fd = -EBADF;
        struct sockaddr_un address;

        /* Most containers have been started: their gate is gone, and that is cheaper to see. */
        if (faccessat(c->dir, "gate", F_OK, 0) < 0)
                return false;
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        gate_address(c, &address);
        return fd >= 0 && connect(fd, (struct sockaddr *) &address, sizeof(address)) < 0 && errno == EPROTOTYPE;
}

int container_bind_gate(const Container *c, int socket, Error *reterr) {
        struct sockaddr_un address;

        gate_address(c, &address);
        return bind(socket, (struct sockaddr *) &address, sizeof(address)) < 0
                ? error_errnof(reterr, errno, "cannot make the gate of container %s", c->id) : 0;
}

static bool has_our_process(const Container *c) {
        _cleanup_free_ char *path = NULL;

        return init_is_alive(c) && cgroup_of_pid(c->record.pid, &path) == 0 && path_is_below(path, c->record.cgroup);
}

char *container_unit_invocation(const Container *c) {
        return unit_invocation(c->caller, c->record.unit, c->record.user_manager);
}

/* What systemd could not remove, as too many cgroups were below it, the next unit of that name gets: the same cgroup. */
static bool is_of_another_unit(const Container *c) {
        _cleanup_free_ char *now = NULL;

        if (!home_is_unit(c->record.home) || !c->record.invocation_id)
                return false;
        now = container_unit_invocation(c);
        return now && !streq(now, c->record.invocation_id);
}

/* What version 0.1.0 made in its caller's unit it has marked as systemd marks that of a unit. */
static bool has_our_mark(const Container *c, int cgroup) {
        const char *name = c->record.user_manager ? "user.invocation_id" : "trusted.invocation_id";
        char value[64] = {};

        return c->record.invocation_id && fgetxattr(cgroup, name, value, sizeof(value) - 1) > 0 &&
               streq(value, c->record.invocation_id);
}

/* Of a container of version 0.1.0, which did not write the number, the process proves that it is: as long as it lives. */
static bool is_ours(const Container *c, int cgroup) {
        uint64_t id;

        if (c->record.cgroup_id == 0)
                return has_our_process(c) || has_our_mark(c, cgroup);
        return cgroup_id(cgroup, &id) == 0 && id == c->record.cgroup_id &&
               (has_our_process(c) || !is_of_another_unit(c));
}

int container_open_cgroup(const Container *c) {
        _cleanup_close_ int fd = -EBADF;

        if (!c->record.cgroup || !container_is_of_this_boot(c))
                return -ENOENT;
        fd = cgroup_open(c->record.cgroup);
        if (fd < 0)
                return fd;
        return is_ours(c, fd) ? TAKE_FD(fd) : -ENOENT;
}

void container_note_cgroup(Container *c) {
        _cleanup_close_ int cgroup = c->record.cgroup_id == 0 ? container_open_cgroup(c) : -EBADF;

        if (cgroup >= 0)
                (void) cgroup_id(cgroup, &c->record.cgroup_id);
}

int container_need_cgroup(const Container *c, const char *what, Error *reterr) {
        int fd = container_open_cgroup(c);

        if (c->record.home == HOME_NONE)
                return error_setf(reterr, EOPNOTSUPP, "cannot %s container %s: it has no cgroup of its own", what, c->id);
        if (fd == -ENOENT)
                error_setf(reterr, EBUSY, "cannot %s container %s: its process has left its cgroup, which is gone", what,
                           c->id);
        else if (fd < 0)
                error_errnof(reterr, fd, "cannot open the cgroup of container %s", c->id);
        return container_blame_end(c, what, fd, reterr);
}

int container_blame_end(const Container *c, const char *what, int r, Error *reterr) {
        _cleanup_close_ int init = r < 0 ? container_open_init(c) : -EBADF;

        if (r >= 0)
                return r;
        /* A process of ours that is gone without a word was killed, perhaps with all others, and a job that is in the way may
         * be that of a stop: which takes a moment. */
        if (init >= 0 && !((r == -EIO || r == -EAGAIN) && process_wait(c->record.pid, init, now_usec() + ENDING_USEC) == 0))
                return r;
        error_done(reterr);
        return error_setf(reterr, EBUSY, "cannot %s container %s: container not running", what, c->id);
}

static bool is_frozen(const Container *c) {
        _cleanup_close_ int fd = container_open_cgroup(c);

        return fd >= 0 && cgroup_is_frozen(fd);
}

Status container_status(const Container *c) {
        StatusFacts facts = { .committed = c->record.committed, .creating = c->found_lock };

        facts.alive = init_is_alive(c);
        facts.gated = facts.alive && is_gated(c);
        facts.frozen = facts.alive && is_frozen(c);
        return status_derive(&facts);
}
