/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/cgroup.h"

#include <dirent.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "basic/str.h"

#define FILE_MAX_BYTES (16UL * 1024 * 1024)

/* Deeper than anything that works: PATH_MAX ends a path long before. Bounds the walk of a hostile tree. */
#define DEPTH_MAX 256

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

bool cgroup_belongs_to_unit(const char *path, const char *slice, const char *unit, bool below) {
        for (const char *p = path; (p = strchr(p, '/')); p++) {
                const char *rest = startswith(p + 1, slice);

                if (!rest || rest[0] != '/')
                        continue;
                rest = skip_unit_name(rest + 1, unit);
                if (rest && (rest[0] == '\0' || (below && rest[0] == '/')))
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
                struct pollfd p = { .fd = events, .events = POLLPRI };
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
                r = poll(&p, 1, poll_timeout(MIN(deadline, now_usec() + EVENTS_POLL_USEC)));
                if (r < 0 && errno != EINTR)
                        return -errno;
        }
}

bool cgroup_is_frozen(int fd) {
        return event_is_set(fd, "frozen");
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

/* Removes what is empty of the directory's children; the first that is not, opened, or -ENOENT. */
static int remove_children(int fd) {
        int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), child = -ENOENT;
        DIR *dir = copy < 0 ? NULL : fdopendir(copy);
        struct dirent *entry;

        while (dir && child < 0 && (entry = readdir(dir)))
                if (entry->d_type == DT_DIR && entry->d_name[0] != '.' &&
                    unlinkat(fd, entry->d_name, AT_REMOVEDIR) < 0 && errno != ENOENT)
                        child = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (dir)
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

void cgroup_remove(const char *path, uint64_t deadline) {
        const char *name = NULL;
        _cleanup_close_ int fd = cgroup_open(path), parent = cgroup_open_parent(path, &name);

        if (fd >= 0)
                remove_below(fd, deadline);
        if (parent >= 0)
                (void) unlinkat(parent, name, AT_REMOVEDIR);
}

static void add_pids(int fd, pid_t **pids, size_t *n) {
        _cleanup_free_ char *text = NULL;

        /* A threaded cgroup refuses to list processes (EOPNOTSUPP); its domain, further up, lists them. */
        if (read_file_at(fd, "cgroup.procs", FILE_MAX_BYTES, &text, NULL) < 0)
                return;
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
}

static int walk(int fd, unsigned depth, pid_t **pids, size_t *n) {
        struct dirent *entry;
        DIR *dir;
        int copy;

        add_pids(fd, pids, n);
        if (depth == DEPTH_MAX)
                return -ELOOP;
        copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (copy < 0)
                return errno == ENOENT ? 0 : -errno;
        dir = fdopendir(copy);
        if (!dir)
                oom();
        while ((entry = readdir(dir))) {
                _cleanup_close_ int child = -EBADF;

                if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
                        continue;
                child = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (child >= 0)
                        (void) walk(child, depth + 1, pids, n);
        }
        closedir(dir);
        return 0;
}

int cgroup_pids(int fd, pid_t **ret, size_t *ret_n) {
        pid_t *pids = NULL;
        size_t n = 0;
        int r;

        r = walk(fd, 0, &pids, &n);
        if (r < 0) {
                free(pids);
                return r;
        }
        *ret = pids;
        *ret_n = n;
        return 0;
}
