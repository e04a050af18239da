/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/cgroup.h"

#include <dirent.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "basic/loop.h"
#include "basic/str.h"
#include "host/process.h"

#define FILE_MAX_BYTES (16UL * 1024 * 1024)

/* The kernel reports changes of cgroup.events at most every 10 ms, a later one with a timer that it drops when the
 * cgroup is removed. */
#define EVENTS_POLL_USEC 20000

const char *cgroup_mount_point(void) {
        static const char *const candidates[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
        static const char *found;
        struct statfs fs;

        for (size_t i = 0; !found && i < ELEMENTSOF(candidates); i++)
                if (statfs(candidates[i], &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
                        found = candidates[i];
        return found;
}

int cgroup_require_mount(Error *reterr) {
        struct statfs fs;
        bool v1 = statfs("/sys/fs/cgroup", &fs) == 0 && fs.f_type == TMPFS_MAGIC;

        if (cgroup_mount_point())
                return 0;
        return error_setf(reterr, EOPNOTSUPP, "cgroup v2 is needed: %s", v1
                          ? "/sys/fs/cgroup is a tmpfs, as with cgroup v1 (systemd.unified_cgroup_hierarchy=1 on the "
                            "kernel's command line chooses v2)" : "no cgroup2 is mounted at /sys/fs/cgroup");
}

int cgroup_of_pid(pid_t pid, char **ret) {
        _cleanup_free_ char *text = NULL;
        char path[64];
        int r;

        snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
        r = read_file_at(AT_FDCWD, path, FILE_MAX_BYTES, &text, NULL);
        if (r < 0)
                return r == -ENOENT ? -ESRCH : r;
        for (char *line = text; line;) {
                char *end = strchr(line, '\n');
                const char *rest = startswith(line, "0::");

                if (end)
                        *end++ = '\0';
                if (rest) {
                        *ret = xstrdup(rest);
                        return 0;
                }
                line = end;
        }
        return -ENODATA;
}

int cgroup_open(const char *path) {
        _cleanup_close_ int root = -EBADF;

        if (!cgroup_mount_point() || path[0] != '/')
                return -ENOENT;
        root = open(cgroup_mount_point(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (root < 0)
                return -errno;
        return open_at(root, path[1] ? path + 1 : ".", O_RDONLY | O_DIRECTORY, 0,
                       RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
}

int cgroup_id(int fd, uint64_t *ret) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        *ret = st.st_ino; /* with 64 bits: a counter */
        return 0;
}

bool cgroup_has_children(int fd) {
        struct stat st;

        return fstat(fd, &st) == 0 && st.st_nlink > 2;
}

bool cgroup_has_file(int fd, const char *file) {
        struct stat st;

        return fstatat(fd, file, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

void cgroup_look_up_files(int fd) {
        static const char *const files[] = { "cgroup.events", "cgroup.freeze", "cgroup.kill", "cgroup.procs" };

        for (size_t i = 0; i < ELEMENTSOF(files); i++)
                (void) cgroup_has_file(fd, files[i]);
}

int cgroup_open_parent(const char *path, const char **ret_name) {
        const char *name = strrchr(path, '/');
        _cleanup_free_ char *parent = name ? xasprintf("%.*s", (int) (name - path), path) : NULL;

        if (isempty(parent))
                return -ENOENT;
        *ret_name = name + 1;
        return cgroup_open(parent);
}

/* systemd puts "_" before a unit's name when the kernel could take it for a file of its own. */
static const char *skip_unit_name(const char *s, const char *unit) {
        return startswith(s[0] == '_' && unit[0] != '_' ? s + 1 : s, unit);
}

const char *cgroup_unit_name(const char *path) {
        const char *name = strrchr(path, '/') + 1;

        return name[0] == '_' ? name + 1 : name;
}

int cgroup_service_of(pid_t pid, char **ret) {
        _cleanup_free_ char *path = NULL;
        int r = cgroup_of_pid(pid, &path);

        if (r < 0)
                return r;
        while (!endswith(path, ".service")) {
                char *slash = strrchr(path, '/');

                if (!slash)
                        return -ENOENT;
                *slash = '\0';
        }
        *ret = TAKE_PTR(path);
        return 0;
}

bool cgroup_belongs_to_unit(const char *path, const char *slice, const char *unit) {
        for (const char *p = path; (p = strchr(p, '/')); p++) {
                const char *rest = startswith(p + 1, slice);

                if (!rest || rest[0] != '/')
                        continue;
                rest = skip_unit_name(rest + 1, unit);
                if (rest && rest[0] == '\0')
                        return true;
        }
        return false;
}

/* Is there a line "key 1"? */
static bool event_is_set(int fd, const char *key) {
        _cleanup_free_ char *text = NULL;

        if (read_file_at(fd, "cgroup.events", FILE_MAX_BYTES, &text, NULL) < 0)
                return false;
        for (char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
                const char *rest = startswith(line, key);

                if (rest && startswith(rest, " 1"))
                        return true;
        }
        return false;
}

/* A cgroup that is gone has had all of its events. */
static int wait_for_event(int fd, const char *event, uint64_t deadline) {
        _cleanup_close_ int events = openat(fd, "cgroup.events", O_RDONLY | O_CLOEXEC);

        if (events < 0)
                return errno == ENOENT || errno == ENODEV ? 0 : -errno;
        for (;;) {
                char buffer[256];
                ssize_t n = pread(events, buffer, sizeof(buffer) - 1, 0);
                int r;

                if (n < 0)
                        return errno == ENODEV ? 0 : -errno;
                buffer[n] = '\0';
                if (strstr(buffer, event))
                        return 0;
                if (now_usec() >= deadline)
                        return -ETIMEDOUT;
                r = loop_wait_fd(events, POLLPRI, MIN(deadline, now_usec() + EVENTS_POLL_USEC));
                if (r < 0)
                        return r;
        }
}

bool cgroup_is_frozen(int fd) {
        return event_is_set(fd, "frozen");
}

bool cgroup_is_to_be_frozen(int fd) {
        _cleanup_free_ char *text = NULL;

        return read_file_at(fd, "cgroup.freeze", FILE_MAX_BYTES, &text, NULL) == 0 && text[0] == '1';
}

int cgroup_freeze(int fd, bool freeze, uint64_t deadline) {
        int r = write_kernel_file(fd, "cgroup.freeze", freeze ? "1" : "0");

        return r < 0 ? r : wait_for_event(fd, freeze ? "frozen 1" : "frozen 0", deadline);
}

bool cgroup_is_populated(int fd) {
        return event_is_set(fd, "populated");
}

int cgroup_kill(int fd) {
        int r = write_kernel_file(fd, "cgroup.kill", "1");

        return r == -ENOENT || r == -ENODEV ? 0 : r; /* the cgroup is gone */
}

int cgroup_wait_empty(int fd, uint64_t deadline) {
        return wait_for_event(fd, "populated 0", deadline);
}

/* A name may begin with a dot, as any other. */
static bool is_child(const struct dirent *entry) {
        return entry->d_type == DT_DIR && !streq(entry->d_name, ".") && !streq(entry->d_name, "..");
}

static int open_child(int fd, const char *name) {
        int child = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        return child < 0 ? -errno : child;
}

/* For readdir(), which fd stays as it is for. NULL, with errno set. */
static DIR *read_children(int fd) {
        int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = copy < 0 ? NULL : fdopendir(copy);

        if (copy >= 0 && !dir)
                oom();
        return dir;
}

/* It is gone, and was in nobody's way. */
static bool is_gone(int r) {
        return r == -ENOENT || r == -ENODEV;
}

/* Removes what is empty of the directory's children; the first that is not, opened, or -ENOENT. */
static int remove_children(int fd) {
        int child = -ENOENT;
        DIR *dir = read_children(fd);
        struct dirent *entry;

        if (!dir)
                return -ENOENT;
        while (child < 0 && (entry = readdir(dir)))
                if (is_child(entry) && unlinkat(fd, entry->d_name, AT_REMOVEDIR) < 0 && errno != ENOENT)
                        child = open_child(fd, entry->d_name);
        closedir(dir);
        return child;
}

/* Down to an empty one and up again, with one descriptor: the tree may be deeper than we may open files. */
static void remove_below(int top, uint64_t deadline) {
        int fd = fcntl(top, F_DUPFD_CLOEXEC, 3);

        for (size_t depth = 0; fd >= 0 && now_usec() < deadline;) {
                int next = remove_children(fd);

                if (next < 0 && depth == 0)
                        break;
                depth += next >= 0 ? 1 : (size_t) -1;
                if (next < 0)
                        next = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                close_fd(fd);
                fd = next;
        }
        close_fd(fd);
}

int cgroup_remove(int fd, const char *path, uint64_t deadline) {
        const char *name = NULL;
        _cleanup_close_ int parent = cgroup_open_parent(path, &name);

        if (parent < 0)
                return is_gone(parent) ? 0 : parent;
        remove_below(fd, deadline);
        return unlinkat(parent, name, AT_REMOVEDIR) < 0 && !is_gone(-errno) ? -errno : 0;
}

static int add_pids(int fd, pid_t **pids, size_t *n) {
        _cleanup_free_ char *text = NULL;
        int r = read_file_at(fd, "cgroup.procs", FILE_MAX_BYTES, &text, NULL);

        /* A threaded cgroup refuses to list processes (EOPNOTSUPP); its domain, further up, lists them. */
        if (r < 0)
                return is_gone(r) || r == -EOPNOTSUPP ? 0 : r;
        for (char *line = text; *line;) {
                char *end;
                long pid = strtol(line, &end, 10);

                if (end == line)
                        break;
                if (pid > 0) { /* 0: in a pid namespace that we do not see */
                        GREW(*pids, *n);
                        (*pids)[(*n)++] = (pid_t) pid;
                }
                line = *end ? end + 1 : end;
        }
        return 0;
}

/* A cgroup that is still to be looked at, by its name in one that is that deep. */
typedef struct Place {
        size_t depth;
        char *name;
} Place;

typedef struct Walk {
        int fd;                 /* where it is: one descriptor, as the tree may be deeper than we may open files */
        size_t depth;
        Place *places;
        size_t n;
} Walk;

static void walk_done(Walk *w) {
        while (w->n > 0)
                free(w->places[--w->n].name);
        free(w->places);
        close_fd(w->fd);
}

static int note_children(Walk *w) {
        DIR *dir = read_children(w->fd);
        struct dirent *entry;

        if (!dir)
                return is_gone(-errno) ? 0 : -errno;
        while ((entry = readdir(dir)))
                if (is_child(entry)) {
                        GREW(w->places, w->n);
                        w->places[w->n++] = (Place){ w->depth, xstrdup(entry->d_name) };
                }
        closedir(dir);
        return 0;
}

/* To the place that was noted last: up, as far as it is not here, and down. No cgroup is ever moved, so that ".." leads
 * where we came from. 1: that place is gone. */
static int go_on(Walk *w) {
        Place place = w->places[--w->n];
        _cleanup_free_ char *name = place.name;
        int next;

        for (; w->depth > place.depth; w->depth--) {
                next = open_child(w->fd, "..");
                if (next < 0)
                        return next;
                close_fd(w->fd);
                w->fd = next;
        }
        next = open_child(w->fd, name);
        if (next < 0)
                return is_gone(next) ? 1 : next;
        close_fd(w->fd);
        w->fd = next;
        w->depth++;
        return 0;
}

int cgroup_pids(int fd, pid_t **ret, size_t *ret_n) {
        _cleanup_(walk_done) Walk w = { .fd = fcntl(fd, F_DUPFD_CLOEXEC, 3) };
        _cleanup_free_ pid_t *pids = NULL;
        size_t n = 0;
        int r;

        r = w.fd < 0 ? -errno : add_pids(w.fd, &pids, &n) ?: note_children(&w);
        while (r >= 0 && w.n > 0) {
                r = go_on(&w);
                if (r == 0)
                        r = add_pids(w.fd, &pids, &n) ?: note_children(&w);
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(pids);
        *ret_n = n;
        return 0;
}

int cgroup_signal(int fd, const char *path, int signal) {
        _cleanup_free_ pid_t *pids = NULL;
        size_t n;
        int r;

        r = cgroup_pids(fd, &pids, &n);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++) {
                ProcessStat stat;
                _cleanup_close_ int pidfd = process_stat(pids[i], &stat) < 0 ? -EBADF : process_open(pids[i], stat.start_time);
                _cleanup_free_ char *now = NULL;

                if (pidfd >= 0 && cgroup_of_pid(pids[i], &now) == 0 && path_is_below(now, path))
                        (void) process_signal(pidfd, signal);
        }
        return 0;
}
