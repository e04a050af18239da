/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which cgroups are ours, and handing down controllers in them. */
#include "host/cgroup.h"

#include <errno.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "basic/str.h"

#define FILE_MAX_BYTES 4096U

/* systemd marks what it leaves to others. */
static bool is_marked(const char *path) {
        _cleanup_close_ int fd = cgroup_open(path);
        char value[8];

        return fd >= 0 && fgetxattr(fd, "user.delegate", value, sizeof(value)) == 1 && value[0] == '1';
}

/* The directories that both paths begin with. */
static char *common_parent(const char *a, const char *b) {
        size_t n = 0, i = 0;

        for (;; i++) {
                if ((a[i] == '/' || a[i] == '\0') && (b[i] == '/' || b[i] == '\0'))
                        n = i;
                if (a[i] != b[i] || a[i] == '\0')
                        return xasprintf("%.*s", (int) n, a);
        }
}

/* A user's systemd, which is in a unit that is marked itself, marks none of its own: there who has moved down from the
 * unit's cgroup, or made one in it, takes it for his. */
static char *find_unit(const char *own, const char *parent) {
        _cleanup_free_ char *above = common_parent(own, parent), *of_user = NULL;
        char *slash;

        while ((slash = strrchr(above, '/')) && slash > above) {
                if (endswith(slash, ".service") || endswith(slash, ".scope")) {
                        if (is_marked(above) && of_user)
                                return streq(of_user, own) && streq(of_user, parent) ? NULL : TAKE_PTR(of_user);
                        if (is_marked(above))
                                return TAKE_PTR(above);
                        if (of_user)
                                return NULL;
                        of_user = xstrdup(above);
                } else if (endswith(slash, ".slice") && !of_user)
                        return NULL;
                *slash = '\0';
        }
        return NULL;
}

char *cgroup_own_unit(const char *path) {
        _cleanup_free_ char *own = NULL, *parent = NULL;
        const char *name = strrchr(path, '/');
        Arena a = {};
        bool plain;

        if (path[0] != '/' || name == path || startswith(name, "/cgroup."))
                return NULL;
        plain = streq(path_normalize(&a, "/", path), path);
        arena_done(&a);
        if (!plain || cgroup_of_pid(getpid(), &own) < 0)
                return NULL;
        parent = xasprintf("%.*s", (int) (name - path), path);
        return find_unit(own, parent);
}

bool cgroup_is_ours_to_make(const char *path) {
        _cleanup_free_ char *unit = cgroup_own_unit(path);

        return unit;
}

/* Itself, those below it aside. */
static bool has_processes(int fd) {
        _cleanup_free_ char *pids = NULL;

        return read_file_at(fd, "cgroup.procs", FILE_MAX_BYTES, &pids, NULL) < 0 || pids[0] != '\0';
}

/* A cgroup with processes could hand down the controllers that count threads, and none below it would take a process from
 * then on ("domain invalid"). */
void cgroup_hand_down_to(const char *path) {
        _cleanup_free_ char *unit = cgroup_own_unit(path), *above = xstrdup(path);

        for (char *end = unit ? above + strlen(unit) : NULL; end; end = strchr(end + 1, '/')) {
                _cleanup_close_ int fd = -EBADF;

                *end = '\0';
                fd = cgroup_open(above);
                *end = '/';
                if (fd >= 0 && !has_processes(fd))
                        (void) cgroup_hand_down(fd);
        }
}

int cgroup_hand_down(int fd) {
        _cleanup_free_ char *controllers = NULL;
        char *save = NULL;
        int r = read_file_at(fd, "cgroup.controllers", FILE_MAX_BYTES, &controllers, NULL);

        if (r < 0)
                return r;
        for (char *name = strtok_r(controllers, " \n", &save); name; name = strtok_r(NULL, " \n", &save)) {
                _cleanup_free_ char *word = xasprintf("+%s", name);
                int k = write_kernel_file(fd, "cgroup.subtree_control", word);

                r = r < 0 ? r : k;
        }
        return r;
}

/* Is the word in a file of words? */
static bool lists_word(int fd, const char *file, const char *word) {
        _cleanup_free_ char *text = NULL;
        char *save = NULL;

        if (read_file_at(fd, file, FILE_MAX_BYTES, &text, NULL) < 0)
                return false;
        for (char *w = strtok_r(text, " \n", &save); w; w = strtok_r(NULL, " \n", &save))
                if (streq(w, word))
                        return true;
        return false;
}

bool cgroup_has_controller(int fd, const char *controller) {
        return lists_word(fd, "cgroup.controllers", controller);
}

int cgroup_enable_controller(const char *path, const char *controller, Error *reterr) {
        static const char *const of_systemd[] = { "cpu", "cpuset", "io", "memory", "pids" };
        _cleanup_free_ char *above = xstrdup(path), *word = xasprintf("+%s", controller);
        bool foreign = true;

        for (size_t i = 0; i < ELEMENTSOF(of_systemd); i++)
                foreign = foreign && !streq(of_systemd[i], controller);
        /* From one slash to the next: the cgroups above, from the top on. */
        for (char *end = above; foreign && end; end = strchr(end + 1, '/')) {
                _cleanup_close_ int fd = -EBADF;
                int r;

                *end = '\0';
                fd = cgroup_open(end == above ? "/" : above);
                *end = '/';
                if (fd < 0 || !cgroup_has_controller(fd, controller))
                        foreign = false;
                else if (!lists_word(fd, "cgroup.subtree_control", controller)) {
                        r = write_kernel_file(fd, "cgroup.subtree_control", word);
                        if (r == -EACCES || r == -EPERM)
                                return error_setf(reterr, EOPNOTSUPP, "cgroup controller %s is not delegated to us",
                                                  controller);
                        if (r == -EEXIST)
                                return error_setf(reterr, EEXIST, "cannot enable cgroup controller %s: a cgroup further down "
                                                  "has taken the name of one of its files (%s.*)", controller, controller);
                        if (r < 0)
                                return error_errnof(reterr, r, "cannot enable cgroup controller %s", controller);
                }
        }
        return foreign ? 0 : error_setf(reterr, EOPNOTSUPP, "cgroup controller %s is not available", controller);
}

int cgroup_delegate(int fd, uid_t uid) {
        _cleanup_free_ char *files = NULL;
        char *save = NULL;

        if (fchown(fd, uid, (gid_t) -1) < 0)
                return -errno;
        if (read_file_at(AT_FDCWD, "/sys/kernel/cgroup/delegate", FILE_MAX_BYTES, &files, NULL) < 0)
                files = xstrdup("cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n");
        for (char *file = strtok_r(files, "\n", &save); file; file = strtok_r(NULL, "\n", &save))
                if (fchownat(fd, file, uid, (gid_t) -1, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)
                        return -errno;
        return 0;
}
