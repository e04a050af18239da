/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/fd.h"
#include "helper/mounts.h"
#include "helper/procfs.h"
#include "helper/steps.h"

/*
 * A mapped mount takes its id maps from a user namespace, and one comes with a process only: a child is born in it,
 * says which number it has in our procfs, and ends when the maps are written and the namespace is open. It is as little
 * dumpable as we are: whoever could trace it would act as our user on the host.
 */
static _noreturn_ void stay(const Helper *h, int parent) {
        char number[16], end;
        ssize_t n = readlinkat(h->proc, "self", number, sizeof(number));

        if (n > 0 && write_full(parent, number, (size_t) n) == 0)
                (void) !read(parent, &end, 1);
        _exit(0);
}

static int write_map(const Helper *h, const char *child, const char *file, const char **list, Error *e) {
        _cleanup_free_ char *path = xasprintf("%s/%s", child, file);
        _cleanup_close_ int fd = procfs_open(h, path, O_WRONLY);
        _cleanup_text_ Text text = {};

        for (; *list; list++) {
                text_addf(&text, "%s\n", *list);
                for (char *p = text.s; (p = strchr(p, ':'));)
                        *p = ' ';
        }
        if (fd < 0)
                return error_errnof(e, fd, "open %s", file);
        if (write(fd, text.s, text.n) < 0)
                return error_errnof(e, errno, "write %s", file);
        return 0;
}

static int open_user_namespace(const Helper *h, const char *child, Error *e) {
        _cleanup_free_ char *path = xasprintf("%s/ns", child);
        _cleanup_close_ int dir = procfs_open(h, path, O_PATH | O_DIRECTORY), fd = -EBADF;
        struct statfs f;

        if (dir >= 0)
                fd = openat(dir, "user", O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return error_errnof(e, dir < 0 ? dir : errno, "open user namespace");
        if (fstatfs(fd, &f) < 0 || f.f_type != NSFS_MAGIC || ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWUSER)
                return error_setf(e, EXDEV, "open user namespace: it is none");
        return TAKE_FD(fd);
}

static int make_namespace(Helper *h, const InitIdmap *s, int child, Error *e) {
        char number[16];
        ssize_t n = read(child, number, sizeof(number) - 1);
        int r;

        if (n <= 0)
                return error_setf(e, ECHILD, "find the child in procfs");
        number[n] = '\0';
        r = write_map(h, number, "uid_map", s->uids, e);
        if (r >= 0)
                r = write_map(h, number, "gid_map", s->gids, e);
        return r < 0 ? r : open_user_namespace(h, number, e);
}

int step_idmap(Helper *h, const InitIdmap *s, Error *e) {
        _cleanup_close_ int fd = -EBADF;
        int pair[2], r;
        pid_t pid;

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                return error_errnof(e, errno, "create socket pair");
        pid = helper_fork(h, CLONE_NEWUSER);
        if (pid == 0) {
                (void) close(pair[0]);
                stay(h, pair[1]);
        }
        (void) close(pair[1]);
        fd = r = pid < 0 ? error_errnof(e, errno, "create a user namespace") : make_namespace(h, s, pair[0], e);
        (void) close(pair[0]);
        while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                ;
        if (r >= 0)
                r = helper_fill_slot(h, s->slot, &fd, e);
        return r < 0 ? error_prefixf(e, "map owners") : 0;
}

int mount_map(Helper *h, int fd, InitSlot slot, bool recursive, Error *e) {
        struct mount_attr a = { .attr_set = MOUNT_ATTR_IDMAP };
        int userns;

        if (!slot)
                return 0;
        userns = helper_slot(h, slot, e);
        if (userns < 0)
                return userns;
        a.userns_fd = (uint64_t) userns;
        if (mount_setattr(fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0U), &a, sizeof(a)) == 0)
                return 0;
        if (errno == EINVAL)
                return error_setf(e, EOPNOTSUPP, "map owners: not with this file system%s and this kernel",
                                  recursive ? ", or one mounted below it," : "");
        return error_errnof(e, errno, "map owners");
}
