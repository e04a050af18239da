/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/resctrl.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"

#define PATH "linux.intelRdt"
#define RESCTRL_MAGIC 0x7655821
#define STANDARD_PLACE "/sys/fs/resctrl"
#define FILE_MAX_BYTES 65536U
#define MOUNTS_MAX_BYTES (16U << 20)

/* "36 35 98:0 / /mnt rw,noatime - resctrl resctrl rw": the fifth word, with \040 for a blank. */
static char *mount_point_in(char *line) {
        char *type = strstr(line, " - "), *save = NULL, *place = NULL;

        if (!type || !startswith(type + 3, "resctrl "))
                return NULL;
        *type = '\0';
        for (int i = 0; i < 5; i++)
                place = strtok_r(i == 0 ? line : NULL, " ", &save);
        return place && !strchr(place, '\\') ? place : NULL;
}

static int open_directory(int dir, const char *path) {
        int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

int resctrl_open(Error *reterr) {
        _cleanup_free_ char *mounts = NULL;
        char *save = NULL, *place = NULL;
        struct statfs f;
        int fd;

        if (statfs(STANDARD_PLACE, &f) == 0 && f.f_type == RESCTRL_MAGIC)
                place = (char *) STANDARD_PLACE;
        else if (read_file_at(AT_FDCWD, "/proc/self/mountinfo", MOUNTS_MAX_BYTES, &mounts, NULL) == 0)
                for (char *line = strtok_r(mounts, "\n", &save); line && !place; line = strtok_r(NULL, "\n", &save))
                        place = mount_point_in(line);
        if (!place)
                return error_setf(reterr, EOPNOTSUPP, PATH ": no resctrl file system is mounted on this host");
        fd = open_directory(AT_FDCWD, place);
        return fd < 0 ? error_errnof(reterr, fd, PATH ": cannot open %s", place) : fd;
}

/* The directory of a group; others (info, mon_data) have no tasks. */
static int open_group(int root, const char *group) {
        _cleanup_close_ int fd = open_directory(root, group);

        if (fd < 0)
                return fd;
        return faccessat(fd, "tasks", F_OK, 0) < 0 ? -ENOTDIR : TAKE_FD(fd);
}

/* With what the kernel has to say about it. */
static int refused(int root, int r, Error *reterr, const char *path, const char *what) {
        _cleanup_free_ char *said = NULL;

        if (read_file_at(root, "info/last_cmd_status", FILE_MAX_BYTES, &said, NULL) == 0)
                said[strcspn(said, "\n")] = '\0';
        if (isempty(said) || streq(said, "ok"))
                return error_errnof(reterr, r, "%s: %s", path, what);
        return error_passf(reterr, r, "%s: %s: %s: %s", path, what, errno_text(r), said);
}

/* --- what a group has ------------------------------------------------------------------------------------------- */

/* "0=7f0;1=1f" behind "L3:" in a line of schemata, which the kernel begins with blanks; NULL. */
static const char *find_resource(const char *schemata, const char *line) {
        size_t n = strcspn(line, ":") + 1;

        for (const char *p = schemata; p; p = strchr(p, '\n')) {
                p += strspn(p, " \n");
                if (strncmp(p, line, n) == 0)
                        return p + n;
        }
        return NULL;
}

typedef struct Share {
        unsigned long id;
        char value[32];
} Share;

/* The next "1=7f0" of a line; false at its end, or when it is none. */
static bool next_share(const char **p, Share *ret) {
        int n = 0;

        *p += strspn(*p, " ;");
        if (sscanf(*p, "%lu=%31[^;\n ]%n", &ret->id, ret->value, &n) != 2)
                return false;
        *p += n;
        return true;
}

/* Both in hexadecimal, whatever the number of zeros. Percents of bandwidth the kernel rounds up to its steps. */
static bool same_value(int root, const char *line, const char *asked, const char *has) {
        _cleanup_free_ char *text = NULL;
        unsigned long step, percent;

        if (strtoull(asked, NULL, 16) == strtoull(has, NULL, 16))
                return true;
        if (!startswith(line, "MB:") ||
            read_file_at(root, "info/MB/bandwidth_gran", FILE_MAX_BYTES, &text, NULL) < 0)
                return false;
        step = strtoul(text, NULL, 10);
        percent = strtoul(asked, NULL, 10);
        return step > 0 && (percent + step - 1) / step * step == strtoul(has, NULL, 10);
}

/* Is each share of the line what the group has? */
static bool matches(int root, const char *schemata, const char *line) {
        const char *has = find_resource(schemata, line), *p = strchr(line, ':');
        Share asked;

        if (!has || !p)
                return false;
        for (p++; next_share(&p, &asked);) {
                const char *q = has;
                Share share = {};
                bool found = false;

                while (!found && next_share(&q, &share))
                        found = share.id == asked.id;
                if (!found || !same_value(root, line, asked.value, share.value))
                        return false;
        }
        return p[strspn(p, " ;")] == '\0';
}

static int check_lines(int root, int group, const RdtPlan *plan, Error *reterr) {
        _cleanup_free_ char *schemata = NULL;
        int r;

        r = read_file_at(group, "schemata", FILE_MAX_BYTES, &schemata, NULL);
        if (r < 0)
                return error_errnof(reterr, r, PATH ": cannot read schemata of group %s", plan->group);
        for (size_t i = 0; i < plan->n_lines; i++)
                if (plan->lines[i].must_match && !matches(root, schemata, plan->lines[i].text))
                        return error_setf(reterr, EINVAL, "%s: group %s is there, and has something else than \"%s\"",
                                          plan->lines[i].path, plan->group, plan->lines[i].text);
        return 0;
}

int resctrl_check(int root, const RdtPlan *plan, Error *reterr) {
        _cleanup_close_ int group = open_group(root, plan->group);

        if (group < 0 && group != -ENOENT)
                return error_errnof(reterr, group, PATH ".closID: %s is no group of processes", plan->group);
        if (group >= 0 && plan->own)
                return error_setf(reterr, EEXIST, PATH ": there is a group %s already", plan->group);
        if (group >= 0)
                return check_lines(root, group, plan, reterr);
        if (plan->must_exist)
                return error_passf(reterr, ENOENT, PATH ".closID: no such group %s, and nothing says what it would be",
                                  plan->group);
        return 1;
}

/* --- groups ------------------------------------------------------------------------------------------------------ */

int resctrl_write(int root, const RdtPlan *plan, Error *reterr) {
        _cleanup_close_ int group = open_group(root, plan->group);

        if (group < 0)
                return error_errnof(reterr, group, PATH ": cannot open group %s", plan->group);
        for (size_t i = 0; i < plan->n_lines; i++) {
                _cleanup_free_ char *line = xasprintf("%s\n", plan->lines[i].text);
                int r = write_kernel_file(group, "schemata", line);

                if (r < 0)
                        return refused(root, r, reterr, plan->lines[i].path, "cannot be written");
        }
        return 0;
}

static int make_monitor(int root, const RdtPlan *plan, Error *reterr) {
        _cleanup_free_ char *path = xasprintf("%s/mon_groups/%s", plan->group, plan->monitor);

        return mkdirat(root, path, 0755) < 0
                ? refused(root, -errno, reterr, PATH ".enableMonitoring", "cannot make the group") : 0;
}

int resctrl_make(int root, const RdtPlan *plan, bool *ret_made, Error *reterr) {
        int r = resctrl_check(root, plan, reterr);
        bool made = r > 0;

        if (made && mkdirat(root, plan->group, 0755) < 0)
                return refused(root, -errno, reterr, plan->own ? PATH : PATH ".closID", "cannot make the group");
        if (r >= 0)
                r = resctrl_write(root, plan, reterr);
        if (r >= 0 && plan->monitor)
                r = make_monitor(root, plan, reterr);
        if (r < 0 && made)
                (void) resctrl_remove(root, plan->group, NULL);
        *ret_made = made;
        return r;
}

static int add_task(int root, const char *directory, pid_t pid, Error *reterr) {
        _cleanup_close_ int group = open_group(root, directory);
        char text[16];
        int r = group;

        snprintf(text, sizeof(text), "%d\n", pid);
        if (r >= 0)
                r = write_kernel_file(group, "tasks", text);
        return r < 0 ? refused(root, r, reterr, PATH, "cannot put the process into its group") : 0;
}

int resctrl_assign(int root, const char *group, const char *monitor, pid_t pid, Error *reterr) {
        _cleanup_free_ char *below = xasprintf("%s/mon_groups/%s", group, monitor ?: "");
        int r = add_task(root, group, pid, reterr);

        return r < 0 || !monitor ? r : add_task(root, below, pid, reterr);
}

static int remove_directory(int root, const char *path, Error *reterr) {
        return unlinkat(root, path, AT_REMOVEDIR) < 0 && errno != ENOENT
                ? error_errnof(reterr, errno, PATH ": cannot remove group %s", path) : 0;
}

int resctrl_remove(int root, const char *group, Error *reterr) {
        return remove_directory(root, group, reterr);
}

int resctrl_remove_monitor(int root, const char *group, const char *monitor, Error *reterr) {
        _cleanup_free_ char *path = xasprintf("%s/mon_groups/%s", group, monitor);

        return remove_directory(root, path, reterr);
}

void resctrl_remove_empty(int root, const char *group) {
        _cleanup_free_ char *path = xasprintf("%s/tasks", group), *tasks = NULL;

        if (read_file_at(root, path, FILE_MAX_BYTES, &tasks, NULL) == 0 && tasks[0] == '\0')
                (void) resctrl_remove(root, group, NULL);
}
