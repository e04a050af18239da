/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "helper/helper.h"
#include "helper/procfs.h"

int helper_slot(Helper *h, InitSlot slot, Error *e) {
        if (slot > INIT_SLOTS || h->slots[slot] < 0)
                return error_setf(e, EBADMSG, "slot %u of the init plan is empty", slot - 1);
        return h->slots[slot];
}

int helper_take_slot(Helper *h, InitSlot slot, Error *e) {
        int fd = helper_slot(h, slot, e);

        if (fd >= 0)
                h->slots[slot] = -EBADF;
        return fd;
}

int helper_fill_slot(Helper *h, InitSlot slot, int *fd, Error *e) {
        if (slot == 0 || slot > INIT_SLOTS || h->slots[slot] >= 0)
                return error_setf(e, EBADMSG, "slot %u of the init plan is taken", slot - 1);
        h->slots[slot] = TAKE_FD(*fd);
        return 0;
}

int helper_open_host(const Helper *h, const char *path, int flags) {
        return open_at(AT_FDCWD, path, O_PATH | flags, 0, h->joined_mounts ? RESOLVE_NO_MAGICLINKS : 0); /* host */
}

/* From a cgroup namespace of the container's the kernel would find no way there. */
static pid_t fork_outside(const Helper *h, unsigned flags) {
        struct clone_args args = { .flags = flags | CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t) h->cgroup };
        _cleanup_close_ int ours = h->cgroup_namespace < 0 ? -EBADF : procfs_open_namespace(h, "cgroup");
        pid_t pid;

        if (ours >= 0 && setns(h->cgroup_namespace, CLONE_NEWCGROUP) < 0)
                return -1;
        pid = (pid_t) syscall(SYS_clone3, &args, sizeof(args));
        if (pid == 0)
                (void) TAKE_FD(ours); /* with CLONE_FILES it is the parent's */
        else if (ours >= 0 && setns(ours, CLONE_NEWCGROUP) < 0)
                _exit(1);
        return pid;
}

/* Where that is refused, as sandboxes have no clone3(), it is born where we are. */
pid_t helper_fork(const Helper *h, unsigned flags) {
        pid_t pid = h->cgroup < 0 ? -1 : fork_outside(h, flags);

        return pid < 0 ? (pid_t) syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL) : pid;
}

int helper_let_open(const Helper *h, int (*make)(void *), void *data) {
        int pair[2], fd = -EBADF, r;
        ssize_t n;
        pid_t pid;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        pid = helper_fork(h, 0);
        if (pid == 0) {
                fd = make(data);
                r = fd < 0 ? fd : 0;
                _exit(send_fd(pair[1], &r, sizeof(r), fd < 0 ? -EBADF : fd) < 0);
        }
        r = pid < 0 ? -errno : 0;
        (void) close(pair[1]);
        n = pid < 0 ? 0 : receive_fd(pair[0], &r, sizeof(r), &fd);
        (void) close(pair[0]);
        while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                ;
        if (r == 0 && (n != sizeof(r) || fd < 0))
                r = -ETIMEDOUT;
        return r < 0 ? r : fd;
}

/* More than we ever open, one after the other from base on. */
#define DESCRIPTORS_MAX (INIT_SLOTS + 128)

/* One by one where the container's filter, which may be in force, does not know close_range(2). */
static void close_from(int base, int first, int end) {
        if (first >= end || close_range((unsigned) first, (unsigned) (end - 1), 0) == 0)
                return;
        for (int i = first; i < MIN(end, base + (int) DESCRIPTORS_MAX); i++)
                (void) close(i);
}

void helper_close_others(Helper *h) {
        const int kept[] = { h->control, h->gate, h->notify, h->say, h->hear };
        int first = h->base;

        for (;;) {
                int next = INT_MAX;

                for (size_t i = 0; i < ELEMENTSOF(kept); i++)
                        if (kept[i] >= first)
                                next = MIN(next, kept[i]);
                close_from(h->base, first, next);
                if (next == INT_MAX)
                        break;
                first = next + 1;
        }
        h->target = h->given_root = h->cgroup = h->cgroup_namespace = h->proc = h->time_offsets = h->root = -EBADF;
        h->mask_file = h->mask_dir = h->devpts = h->opener = h->nodes = -EBADF;
        for (size_t i = 0; i < ELEMENTSOF(h->slots); i++)
                h->slots[i] = -EBADF;
}

int helper_root(Helper *h) {
        if (h->root < 0)
                h->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC); /* own */
        return h->root < 0 ? -errno : h->root;
}
