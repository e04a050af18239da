/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "helper/credentials.h"
#include "helper/mounts.h"
#include "helper/procfs.h"
#include "helper/steps.h"
#include "helper/talk.h"

/*
 * Mounts that come to a mount namespace of another user namespace are locked together there (mount_namespaces(7)). So ours
 * are copied into that of a child, and back into one that is ours again: who has the uid that owns the user namespace may do
 * in its mount namespaces what he likes, so none of these stays.
 */

static int explain(int r, Error *e) {
        if (r == -ENOSPC || r == -EPERM)
                return error_errnof(e, r, "make a user namespace, which locks mounts (sysctl user.max_user_namespaces)");
        if (r == -EAGAIN)
                return error_errnof(e, r, "make a process, which locks mounts (limit of processes of the cgroup)");
        return error_errnof(e, r, "lock mounts");
}

/* A sandbox, a policy, a kernel without; or a limit of 0. Another limit others can reach, and that must not unlock us. */
static bool can_be_none(const Helper *h, int error) {
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *text = NULL;

        if (error == EPERM || error == EACCES || error == EINVAL || error == ENOSYS)
                return true;
        fd = error == ENOSPC ? procfs_open(h, "sys/user/max_user_namespaces", O_RDONLY) : -EBADF;
        return fd >= 0 && read_file_fd(fd, 64, &text, NULL) >= 0 && streq(text, "0\n");
}

/* Until we close the other end. */
static _noreturn_ void hold(const int *ends) {
        char byte;

        (void) close(ends[1]);
        (void) !read(ends[0], &byte, 1);
        _exit(0);
}

/* Who owns the user namespace joins what belongs to it, without CAP_SYS_PTRACE if the process in there is dumpable. That lets
 * nobody else look, as nobody has our uids. */
static pid_t fork_holder(const Helper *h, const int *ends) {
        int r = credentials_show(NULL);
        pid_t pid;

        if (r < 0)
                return r;
        pid = helper_fork(h, CLONE_NEWUSER | CLONE_NEWNS);
        if (pid == 0)
                hold(ends);
        r = pid < 0 ? -errno : 0;
        if (r < 0 && can_be_none(h, -r))
                r = -EOPNOTSUPP;
        return r < 0 ? r : pid;
}

static int join_holder(pid_t pid) {
        _cleanup_close_ int pidfd = pidfd_open(pid, 0);

        return pidfd < 0 || setns(pidfd, CLONE_NEWNS) < 0 || unshare(CLONE_NEWNS) < 0 ? -errno : 0;
}

static int copy_there_and_back(const Helper *h) {
        int ends[2], r;
        pid_t pid;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        pid = fork_holder(h, ends);
        r = pid < 0 ? pid : join_holder(pid);
        (void) close(ends[0]);
        (void) close(ends[1]);
        while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                ;
        return r;
}

static int lock_ours(const Helper *h) {
        uid_t own = geteuid();
        int r = credentials_act_as_nobody(), back;

        if (r >= 0)
                r = copy_there_and_back(h);
        back = credentials_act_as(own);
        return r < 0 ? r : back;
}

int step_lock_mounts(Helper *h, const InitLockMounts *s, Error *e) {
        int r = lock_ours(h);

        if (r == -EOPNOTSUPP)
                return talk_send(h, INIT_MSG_NOT_LOCKED, 0, -EBADF, e);
        if (r < 0)
                return explain(r, e);
        h->root = close_fd(h->root);
        r = helper_root(h);
        if (r < 0)
                return error_errnof(e, r, "open /");
        console_reopen(h);
        return 0;
}

/*
 * Those that are attached nowhere yet have to be for that: on a file system that a child makes in a mount namespace of its
 * own. It has our table of descriptors, and leaves the copies in the places of the mounts.
 */

/* The file system becomes the root. In a chroot there would be no user namespace, and setns() leaves ours. Without the host's
 * mounts, which are private first, or would be lost to the host, there is less to copy; in an initramfs they stay. */
static int enter_scratch(void) {
        _cleanup_close_ int self = pidfd_open(getpid(), 0), fs = fsopen("tmpfs", FSOPEN_CLOEXEC), top = -EBADF;
        struct mount_attr private = { .propagation = MS_PRIVATE };

        if (self < 0 || fs < 0 || setns(self, CLONE_NEWNS) < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return -errno;
        top = fsmount(fs, FSMOUNT_CLOEXEC, 0);
        if (top < 0 || mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &private, sizeof(private)) < 0 || /* host */
            move_mount(top, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0 ||                      /* host */
            fchdir(top) < 0)
                return -errno;
        if (syscall(SYS_pivot_root, ".", ".") == 0)
                return umount2(".", MNT_DETACH) < 0 ? -errno : 0;
        return chroot(".") < 0 ? -errno : 0;
}

static int attach(int fd, const char *name) {
        struct stat st;
        int r;

        if (fstat(fd, &st) < 0)
                return -errno;
        r = S_ISDIR(st.st_mode) ? mkdirat(AT_FDCWD, name, 0700) : mknodat(AT_FDCWD, name, S_IFREG, 0); /* own */
        if (r < 0 || move_mount(fd, "", AT_FDCWD, name, MOVE_MOUNT_F_EMPTY_PATH) < 0)                   /* own */
                return -errno;
        return 0;
}

/* The file of a mount namespace, which would be a loop, is not mounted there any more. */
static int take_copy(int fd, const char *name) {
        unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
        _cleanup_close_ int copy = open_tree(AT_FDCWD, name, flags); /* own */
        struct stat before, after;

        if (copy < 0 || fstat(fd, &before) < 0 || fstat(copy, &after) < 0)
                return -errno;
        if (before.st_dev != after.st_dev || before.st_ino != after.st_ino)
                return -ELOOP;
        return dup3(copy, fd, O_CLOEXEC) < 0 ? -errno : 0;
}

static int for_each(const int *fds, size_t n, int (*function)(int, const char *)) {
        int r = 0;

        for (size_t i = 0; i < n && r >= 0; i++) {
                char name[24];

                (void) snprintf(name, sizeof(name), "%zu", i);
                r = function(fds[i], name);
        }
        return r;
}

static int lock_all(const int *fds, size_t n) {
        int r = credentials_hide(NULL); /* file systems may not answer */

        if (r >= 0)
                r = enter_scratch();
        if (r >= 0)
                r = for_each(fds, n, attach);
        if (r >= 0)
                r = credentials_act_as_nobody();
        if (r >= 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
                r = -errno;
        return r < 0 ? r : for_each(fds, n, take_copy);
}

int mount_lock(const Helper *h, const int *fds, size_t n, Error *e) {
        pid_t pid = helper_fork(h, CLONE_FILES | CLONE_NEWNS);
        int status = -1, r;

        if (pid == 0)
                _exit(-lock_all(fds, n));
        r = pid < 0 ? -errno : 0;
        while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        if (pid > 0)
                r = WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
        return r < 0 ? explain(r, e) : 0;
}
