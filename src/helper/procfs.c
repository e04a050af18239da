/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/procfs.h"

#include <linux/magic.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "helper/credentials.h"
#include "helper/steps.h"

#define PROC_ROOT_INODE 1

bool procfs_is(int fd) {
        struct statfs f;

        return fstatfs(fd, &f) == 0 && f.f_type == PROC_SUPER_MAGIC;
}

bool procfs_is_root(int fd) {
        struct stat st;

        return procfs_is(fd) && fstat(fd, &st) == 0 && st.st_ino == PROC_ROOT_INODE;
}

static int new_procfs(void) {
        _cleanup_close_ int fs = fsopen("proc", FSOPEN_CLOEXEC);
        int fd;

        if (fs < 0)
                return -errno;
        if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return -errno;
        fd = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
        return fd < 0 ? -errno : fd;
}

/* In a user namespace whose /proc is covered in part the kernel gives no new procfs. The one in place is as
 * good once it is verified: we are still in the caller's mount namespace, and what is mounted below is not
 * entered. */
static int host_procfs(void) {
        _cleanup_close_ int fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC); /* host */

        if (fd < 0)
                return -errno;
        return procfs_is_root(fd) ? TAKE_FD(fd) : -EXDEV;
}

static bool needs_procfs(const InitStep *s) {
        switch (s->op) {
        case INIT_OOM_SCORE_ADJ:
        case INIT_TIME_OFFSETS:
        case INIT_SYSCTL:
        case INIT_APPARMOR:
        case INIT_SELINUX:
        case INIT_IDMAP:
        case INIT_LOCK_MOUNTS:
        case INIT_DETACH:
        case INIT_ATTACH:
                return true;
        case INIT_JOIN:
                return s->join.settings;
        default:
                return false;
        }
}

/* From the next step on. */
static bool is_needed(const Helper *h) {
        for (size_t i = h->next; i < h->plan->n_steps; i++)
                if (needs_procfs(&h->plan->steps[i]))
                        return true;
        return false;
}

static bool has_time_offsets(const Helper *h) {
        for (size_t i = 0; i < h->plan->n_steps; i++)
                if (h->plan->steps[i].op == INIT_TIME_OFFSETS)
                        return true;
        return false;
}

static int open_time_offsets(Helper *h, Error *e) {
        bool show = geteuid() != 0;
        int r = show ? credentials_show(e) : 0;

        if (r < 0)
                return r;
        h->time_offsets = procfs_open_self(h, "timens_offsets", O_WRONLY);
        r = show ? credentials_hide(e) : 0;
        return h->time_offsets < 0 ? error_errnof(e, h->time_offsets, "open the offsets of the time namespace") : r;
}

int procfs_prepare(Helper *h, Error *e) {
        int r = is_needed(h) ? procfs_need(h, e) : 0;

        if (r == 0 && h->proc >= 0 && h->cgroup >= 0)
                h->cgroup_namespace = procfs_open_namespace(h, "cgroup");
        return r == 0 && has_time_offsets(h) ? open_time_offsets(h, e) : r;
}

int procfs_renew(Helper *h, Error *e) {
        if (h->proc >= 0 || !is_needed(h))
                return 0;
        h->proc = new_procfs();
        return h->proc < 0 ? error_errnof(e, h->proc, "mount a procfs of our own") : 0;
}

int procfs_need(Helper *h, Error *e) {
        int r;

        if (h->proc >= 0)
                return 0;
        r = new_procfs();
        if (r < 0)
                r = host_procfs();
        if (r < 0)
                return error_errnof(e, r, "mount a procfs of our own");
        h->proc = r;
        return 0;
}

int procfs_open(const Helper *h, const char *path, int flags) {
        _cleanup_close_ int fd =
                open_at(h->proc, path, flags, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);

        if (fd < 0)
                return fd;
        if (!procfs_is(fd))
                return -EXDEV;
        return TAKE_FD(fd);
}

/* "self" is a symlink to our number in that procfs's pid namespace. */
static int self_path(const Helper *h, const char *path, char *buffer, size_t size) {
        char pid[16];
        ssize_t n = readlinkat(h->proc, "self", pid, sizeof(pid) - 1);

        if (n < 0)
                return -errno;
        pid[n] = '\0';
        if (n == 0 || strspn(pid, "0123456789") != (size_t) n)
                return -EXDEV;
        return snprintf(buffer, size, "%s/%s", pid, path) < (int) size ? 0 : -ENAMETOOLONG;
}

int procfs_open_self(const Helper *h, const char *path, int flags) {
        char full[64];
        int r = self_path(h, path, full, sizeof(full));

        return r < 0 ? r : procfs_open(h, full, flags);
}

int procfs_describe_fd(const Helper *h, int fd, char *buffer, size_t size) {
        _cleanup_close_ int dir = procfs_open_self(h, "fd", O_PATH | O_DIRECTORY);
        char number[16];
        ssize_t n;

        if (dir < 0)
                return dir;
        (void) snprintf(number, sizeof(number), "%d", fd);
        n = readlinkat(dir, number, buffer, size);
        if (n < 0)
                return -errno;
        if ((size_t) n == size)
                return -ENAMETOOLONG;
        buffer[n] = '\0';
        return 0;
}

int procfs_stat_self(const Helper *h, const char *path, struct stat *ret) {
        char full[64];
        int r = self_path(h, path, full, sizeof(full));

        errno = r < 0 ? -r : errno;
        return r < 0 ? -1 : fstatat(h->proc, full, ret, 0);
}

int procfs_open_namespace(const Helper *h, const char *name) {
        _cleanup_close_ int dir = procfs_open_self(h, "ns", O_PATH | O_DIRECTORY);
        int fd = dir < 0 ? -1 : openat(dir, name, O_RDONLY | O_CLOEXEC);

        return dir < 0 ? dir : fd < 0 ? -errno : fd;
}

int procfs_chmod(const Helper *h, int fd, mode_t mode) {
        char name[16], path[64];
        int r;

        (void) snprintf(name, sizeof(name), "fd/%d", fd);
        r = self_path(h, name, path, sizeof(path));
        if (r >= 0 && fchmodat(h->proc, path, mode, 0) < 0)
                r = -errno;
        return r < 0 ? r : 0;
}

static int write_value(int fd, const char *value) {
        return write(fd, value, strlen(value)) < 0 ? -errno : 0;
}

int procfs_write_self(const Helper *h, const char *path, const char *value) {
        _cleanup_close_ int fd = procfs_open_self(h, path, O_WRONLY);

        return fd < 0 ? fd : write_value(fd, value);
}

/* Nobody lowers it without CAP_SYS_RESOURCE over the machine: what root has given, or systemd to who logged in. */
int step_oom_score_adj(Helper *h, const InitOomScoreAdj *s, Error *e) {
        char value[24];
        int r;

        (void) snprintf(value, sizeof(value), "%lld", (long long) s->value);
        r = geteuid() != 0 ? credentials_show(e) : 0;
        if (r < 0)
                return r;
        r = procfs_write_self(h, "oom_score_adj", value);
        if (r == -EACCES || r == -EPERM)
                return error_errnof(e, r, "%s is less than an ordinary user can have here", value);
        return r < 0 ? error_errnof(e, r, "write %s to oom_score_adj", value) : credentials_hide(e);
}

/* Where the host's is covered, an ordinary user gets a procfs of his own only now, in his user namespace. */
static int open_sysctls(const Helper *h) {
        _cleanup_close_ int own = -EBADF;
        int fd = procfs_open(h, "sys", O_PATH | O_DIRECTORY);

        if (fd == -EXDEV)
                own = new_procfs();
        return own < 0 ? fd : open_at(own, "sys", O_PATH | O_DIRECTORY, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

int step_sysctl(Helper *h, const InitSysctl *s, Error *e) {
        const char *path = s->path, *value = s->value;
        _cleanup_close_ int sys = open_sysctls(h), fd = -EBADF;
        int r = sys;

        if (r >= 0) {
                fd = r = open_at(sys, path, O_WRONLY, 0,
                                 RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
                if (fd >= 0)
                        r = procfs_is(fd) ? write_value(fd, value) : -EXDEV;
        }
        if (r < 0)
                return error_errnof(e, r, "write sysctl %s = \"%s\"", path, value);
        return 0;
}

int step_apparmor(Helper *h, const InitApparmor *s, Error *e) {
        _cleanup_free_ char *value = xasprintf("exec %s", s->profile);
        int r;

        r = procfs_write_self(h, "attr/apparmor/exec", value);
        if (r == -ENOENT) /* Linux before 5.8 */
                r = procfs_write_self(h, "attr/exec", value);
        if (r < 0)
                return error_errnof(e, r, "apply apparmor profile %s", s->profile);
        return 0;
}

int step_selinux(Helper *h, const InitSelinux *s, Error *e) {
        int r = procfs_write_self(h, "attr/exec", s->label);

        if (r < 0)
                return error_errnof(e, r, "apply selinux label %s", s->label);
        return 0;
}
