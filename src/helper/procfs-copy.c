/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <limits.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "basic/str.h"
#include "helper/credentials.h"
#include "helper/mounts.h"
#include "helper/procfs.h"

/*
 * For kernels before 6.17, which make a procfs of the pid namespace of who asks and of no other. A process of ours in there
 * would be in the hands of others, who could answer in its place. So nobody of ours goes there: what somebody in there has
 * mounted is copied, by a process that is in his mount namespace and in nothing else of his. What is found there is at a
 * place that others name, so that what counts is what has come out.
 */

#define SECONDS_MAX 30 /* others' file systems may never answer */
#define MOUNTS_SIZE_MAX (16U << 20)
#ifndef NS_GET_PID_FROM_PIDNS /* Linux 6.11 */
#define NS_GET_PID_FROM_PIDNS _IOR(0xb7, 0x6, int)
#endif

static bool is_of(int process, const char *path, const struct stat *pidns) {
        struct stat st;

        return fstatat(process, path, &st, 0) == 0 && st.st_dev == pidns->st_dev && st.st_ino == pidns->st_ino;
}

/* The first process of a pid namespace is in no other. Is it that which is seen, and nothing that is mounted on it? */
static bool shows(int procfs, const struct stat *pidns) {
        _cleanup_close_ int link = open_at(procfs, "1/ns/pid", O_PATH | O_NOFOLLOW, 0, RESOLVE_BENEATH | RESOLVE_NO_XDEV);

        return link >= 0 && procfs_is_root(procfs) && is_of(procfs, "1/ns/pid", pidns);
}

/* One mount, or, where masks are locked to it, all: mounted by somebody with all that we may ourselves. */
static int copy_place(int root, const char *place, bool trusted, const struct stat *pidns) {
        _cleanup_close_ int fd = open_in_root(root, place, O_PATH | O_DIRECTORY, 0), copy = -EBADF;

        if (fd < 0 || !procfs_is_root(fd))
                return -ENOENT;
        copy = mount_clone(fd, false);
        if (copy == -EINVAL && trusted)
                copy = mount_clone(fd, true);
        return copy >= 0 && mount_propagation(copy, MS_PRIVATE | MS_REC) >= 0 && shows(copy, pidns) ? TAKE_FD(copy) : -ENOENT;
}

/* Those of a user namespace that we have gone to ourselves are others' just the same. */
static bool has_become_user(const Helper *h) {
        for (size_t i = 0; i < h->next; i++)
                if (h->plan->steps[i].op == INIT_USERNS || h->plan->steps[i].op == INIT_BECOME_ROOT)
                        return true;
        return false;
}

/* Only who has CAP_SYS_ADMIN in its user namespace mounts in a mount namespace. */
static bool is_trusted(const Helper *h, int mounts) {
        _cleanup_close_ int users = ioctl(mounts, NS_GET_USERNS);
        struct stat own, st;

        return users >= 0 && fstat(users, &st) == 0 && procfs_stat_self(h, "ns/user", &own) == 0 &&
               own.st_dev == st.st_dev && own.st_ino == st.st_ino && !has_become_user(h);
}

/* A whole one: its options are everybody's. Blanks in paths are octal here; no procfs has such a place. */
static bool read_place(const char *line, char place[static PATH_MAX]) {
        const char *type = strstr(line, " - proc "), *options = strrchr(line, ' ');
        char root[3];

        return type && !strstr(options, "hidepid=") && !strstr(options, "subset=") &&
               sscanf(line, "%*s %*s %*s %2s %4095s", root, place) == 2 && streq(root, "/");
}

static int copy_of_process(const Helper *h, int process, const struct stat *pidns) {
        _cleanup_close_ int root = -EBADF, mounts = -EBADF;
        _cleanup_free_ char *text = NULL;
        char *save = NULL, place[PATH_MAX];
        int fd = -ENOENT;
        bool trusted;

        if (!is_of(process, "ns/pid", pidns))
                return -ENOENT;
        root = openat(process, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
        mounts = openat(process, "ns/mnt", O_RDONLY | O_CLOEXEC);
        if (root < 0 || mounts < 0 || read_file_at(process, "mountinfo", MOUNTS_SIZE_MAX, &text, NULL) < 0 ||
            setns(mounts, CLONE_NEWNS) < 0)
                return -ENOENT;
        trusted = is_trusted(h, mounts);
        for (char *line = strtok_r(text, "\n", &save); line && fd < 0; line = strtok_r(NULL, "\n", &save))
                if (read_place(line, place))
                        fd = copy_place(root, place, trusted, pidns);
        return fd;
}

static int copy_of(const Helper *h, const char *pid, const struct stat *pidns) {
        _cleanup_close_ int process = procfs_open(h, pid, O_PATH | O_DIRECTORY);

        return process < 0 ? -ENOENT : copy_of_process(h, process, pidns);
}

/* Its first process is the most likely one to have it. */
static int copy_of_first(const Helper *h, int pidns, const struct stat *st) {
        char pid[16];

        (void) snprintf(pid, sizeof(pid), "%d", ioctl(pidns, NS_GET_PID_FROM_PIDNS, 1));
        return copy_of(h, pid, st);
}

static int copy_of_any(const Helper *h, const struct stat *pidns) {
        int fd = procfs_open(h, ".", O_RDONLY | O_DIRECTORY), copy = -ENOENT;
        DIR *d = fd < 0 ? NULL : fdopendir(fd);

        for (struct dirent *entry; d && copy < 0 && (entry = readdir(d));)
                if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
                        copy = copy_of(h, entry->d_name, pidns);
        if (d)
                (void) closedir(d);
        else
                close_fd(fd);
        return copy;
}

typedef struct Search { Helper *h; int pidns; } Search;

static int search(void *data) {
        const Search *s = data;
        struct stat st;
        int r;

        (void) alarm(SECONDS_MAX);
        r = credentials_hide(NULL);
        if (r >= 0)
                r = procfs_need(s->h, NULL);
        if (r >= 0 && fstat(s->pidns, &st) < 0)
                r = -errno;
        if (r < 0)
                return r;
        r = copy_of_first(s->h, s->pidns, &st);
        return r < 0 ? copy_of_any(s->h, &st) : r;
}

int procfs_copy(Helper *h, int pidns, Error *e) {
        int r = helper_let_open(h, search, &(Search){ h, pidns });

        if (r == -ENOENT)
                return error_setf(e, EOPNOTSUPP, "before Linux 6.17 it is the copy of a procfs that a process of the pid "
                                  "namespace has mounted, and none has a whole one: mount one in the container that is joined");
        return r < 0 ? error_errnof(e, r, "copy the procfs of the pid namespace that is joined") : r;
}
