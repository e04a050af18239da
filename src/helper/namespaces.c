/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "basic/names.h"
#include "helper/credentials.h"
#include "helper/procfs.h"
#include "helper/steps.h"
#include "helper/talk.h"

/* "pid, network" */
static const char *describe(int flags, char *buffer, size_t size) {
        size_t n = 0;

        buffer[0] = '\0';
        for (const Name *type = namespace_names; type->name; type++)
                if ((flags & type->value) && n < size)
                        n += (size_t) snprintf(buffer + n, size - n, "%s%s", n > 0 ? ", " : "", type->name);
        return buffer;
}

int step_open_ns(Helper *h, const InitOpenNs *s, Error *e) {
        const char *path = s->path;
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); /* host */
        struct statfs f;
        char name[64];
        int type;

        if (fd < 0)
                return error_errnof(e, errno, "open namespace %s", path);
        if (fstatfs(fd, &f) < 0 || f.f_type != NSFS_MAGIC)
                return error_setf(e, EINVAL, "open namespace %s: not a namespace", path);
        type = ioctl(fd, NS_GET_NSTYPE);
        if (type != s->type)
                return error_setf(e, EINVAL, "open namespace %s: not a %s namespace", path,
                                  describe(s->type, name, sizeof(name)));
        return helper_fill_slot(h, s->slot, &fd, e);
}

int step_enter(Helper *h, const InitEnter *s, Error *e) {
        char names[96];

        if (setns(h->target, s->flags) < 0)
                return error_errnof(e, errno, "join the container's namespaces (%s)",
                                    describe(s->flags, names, sizeof(names)));
        return credentials_hide(e);
}

/* Joining one's own namespace would be no error, but settings for the container would be the host's then. */
static int check_other(const Helper *h, int fd, const InitJoin *s, Error *e) {
        static const struct { int type; const char *file; } files[] = {
                { CLONE_NEWNET, "ns/net" }, { CLONE_NEWIPC, "ns/ipc" }, { CLONE_NEWUTS, "ns/uts" },
                { CLONE_NEWUSER, "ns/user" },
        };
        struct stat own, other;
        char name[64];

        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                if (files[i].type != s->type)
                        continue;
                if (fstat(fd, &other) < 0 || procfs_stat_self(h, files[i].file, &own) < 0)
                        return error_errnof(e, errno, "look at %s namespace", describe(s->type, name, sizeof(name)));
                if (own.st_ino == other.st_ino && own.st_dev == other.st_dev)
                        return error_setf(e, EINVAL, "the host's own %s namespace, in which %s would change it",
                                          describe(s->type, name, sizeof(name)), s->settings);
        }
        return 0;
}

int step_join(Helper *h, const InitJoin *s, Error *e) {
        int fd = helper_slot(h, s->slot, e), r;
        char name[64];

        if (fd < 0)
                return fd;
        r = s->settings ? check_other(h, fd, s, e) : 0;
        if (r < 0)
                return r;
        if (setns(fd, s->type) < 0)
                return error_errnof(e, errno, "join %s namespace", describe(s->type, name, sizeof(name)));
        h->joined_mounts = h->joined_mounts || s->type == CLONE_NEWNS;
        return credentials_hide(e);
}

static int become_root(uid_t uid, gid_t gid, bool keep_groups, Error *e) {
        int r = credentials_set(uid, gid, NULL, 0, keep_groups ? CREDENTIALS_KEEP_GROUPS : CREDENTIALS_GROUPS_LENIENT);

        return r < 0 ? error_errnof(e, r, "become user %u, group %u of the user namespace", uid, gid)
                     : credentials_hide(e);
}

/*
 * The maps are written by the launcher, who must be able to open our /proc files: without privileges only
 * while we are dumpable. Nothing of the container exists yet that could make use of it.
 */
int step_userns(Helper *h, const InitUserns *s, Error *e) {
        bool show = geteuid() != 0;
        int r;

        if (unshare(CLONE_NEWUSER) < 0)
                return error_errnof(e, errno, "create user namespace");
        r = show ? credentials_show(e) : 0;
        if (r >= 0)
                r = talk_send(h, INIT_MSG_MAP_ME, 0, -EBADF, e);
        if (r >= 0)
                r = talk_wait(h, INIT_MSG_MAPPED, e);
        if (r >= 0)
                r = credentials_hide(e);
        return r < 0 ? r : become_root(s->uid, s->gid, s->keep_groups, e);
}

int step_become_root(Helper *h, const InitBecomeRoot *s, Error *e) {
        return become_root(s->uid, s->gid, s->keep_groups, e);
}

int step_unshare(Helper *h, const InitUnshare *s, Error *e) {
        char names[96];

        if (unshare(s->flags) < 0)
                return error_errnof(e, errno, "create namespaces (%s)",
                                    describe(s->flags, names, sizeof(names)));
        return 0;
}

/* By a descriptor that is older than the user namespace (procfs_prepare()): in there our files in /proc are ours only while
 * we are dumpable, which in one that is joined would be for others to make use of. */
int step_time_offsets(Helper *h, const InitTimeOffsets *s, Error *e) {
        char text[128];
        int r;

        (void) snprintf(text, sizeof(text), "boottime %lld %u\nmonotonic %lld %u\n",
                        (long long) s->boottime, s->boottime_ns, (long long) s->monotonic, s->monotonic_ns);
        r = write_full(h->time_offsets, text, strlen(text));
        h->time_offsets = close_fd(h->time_offsets);
        return r < 0 ? error_errnof(e, r, "set the offsets of the time namespace") : 0;
}

/* The child is the launcher's, not ours, so that it ends up with the launcher's caller as its parent. */
static long fork_for_launcher(Error *e) {
        long pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);

        return pid < 0 ? error_errnof(e, errno, "create the container's process") : pid;
}

/* It moves only once the launcher has been told its pid, which it cannot tell itself from inside its pid namespace. */
int step_fork(Helper *h, const InitFork *s, Error *e) {
        int told[2], r;
        char byte = 0;
        long pid;

        if (pipe2(told, O_CLOEXEC) < 0)
                return error_errnof(e, errno, "create pipe");
        pid = fork_for_launcher(e);
        if (pid < 0)
                return (int) pid;
        if (pid > 0) {
                r = talk_send(h, INIT_MSG_PID, (int) pid, -EBADF, NULL);
                if (r >= 0)
                        (void) !write(told[1], &byte, 1);
                _exit(r < 0);
        }
        (void) close(told[1]);
        if (read_full(told[0], &byte, 1) != 1)
                _exit(1);
        (void) close(told[0]);
        return credentials_hide(e);
}

/* We are as good as ready, and the child waits for nothing but the launcher, whose end it sees: it is not tied to it by more,
 * which the filter need not let pass. */
int step_fork_inside(Helper *h, const InitForkInside *s, Error *e) {
        long pid;
        int r;

        r = talk_by_pipes(h, e);
        if (r < 0)
                return r;
        helper_close_others(h);
        pid = fork_for_launcher(e);
        if (pid < 0)
                return (int) pid;
        if (pid > 0) {
                r = talk_send(h, INIT_MSG_INSIDE, (int) pid, -EBADF, NULL);
                _exit(r < 0);
        }
        h->inside = true;
        return 0;
}
