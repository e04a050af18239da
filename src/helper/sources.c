/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "helper/mounts.h"
#include "helper/steps.h"

/* Where bind mounts come from. */

/* The path is the host's and the user's own: symlinks in it are followed as usual, and what mounts itself is mounted. */
static int clone_host(const char *path, uint32_t extra) {
        unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (extra & INIT_RECURSIVE ? AT_RECURSIVE : 0U) |
                         (extra & INIT_NO_SOURCE_FOLLOW ? AT_SYMLINK_NOFOLLOW : 0U);
        int fd = open_tree(AT_FDCWD, path, flags); /* host */

        return fd < 0 ? -errno : fd;
}

/* Others may have made what is on the way. */
static int clone_hostile(const Helper *h, const char *path, uint32_t extra) {
        int flags = O_PATH | (extra & INIT_NO_SOURCE_FOLLOW ? O_NOFOLLOW : 0);
        _cleanup_close_ int place = extra & INIT_SOURCE_IN_ROOT ? open_in_root(h->root, path, flags, 0)
                                                                : helper_open_host(h, path, flags);

        return place < 0 ? place : mount_clone(place, extra & INIT_RECURSIVE);
}

int source_open(const Helper *h, const char *path, uint32_t extra, Error *e) {
        bool in_root = extra & INIT_SOURCE_IN_ROOT;
        int fd = in_root || h->joined_mounts ? clone_hostile(h, path, extra) : clone_host(path, extra);

        return fd < 0 ? error_errnof(e, fd, "open mount source %s%s", path, in_root ? " in the rootfs" : "") : fd;
}

/* The mount of INIT_OPEN_TREE. */
static int open_mapped(Helper *h, const InitOpenTree *s, Error *e) {
        _cleanup_close_ int fd = source_open(h, s->path, s->extra, e);
        int r = fd;

        if (r >= 0)
                r = mount_map(h, fd, s->idmap, s->idmap_recursive, e);
        if (r < 0)
                return r;
        r = mount_change_all(fd, s->attrs, s->clear, s->recursive_attrs, s->recursive_clear);
        return r < 0 ? error_errnof(e, r, "set attributes of mount source %s", s->path) : TAKE_FD(fd);
}

/*
 * A source in the rootfs, with what the container has got mounted there already, can be cloned in its mount namespace alone,
 * and, where that belongs to a user namespace, with privileges that we have not got any more when we are there. So a process
 * that has them is left outside, in no namespace of the container's but that one, and is asked: it gets the number of the
 * step twice, with a pidfd of ours and with the root, and answers with the mount. It ends when nobody can ask any more.
 */
typedef struct Answer {
        int code;          /* 0: with a descriptor */
        char text[1024];   /* or what went wrong */
} Answer;

static int answer(Helper *h, size_t number, int asking, Error *e) {
        if (number >= h->plan->n_steps || h->plan->steps[number].op != INIT_OPEN_TREE || asking < 0 || h->root < 0)
                return error_setf(e, EBADMSG, "the question cannot be understood");
        if (setns(asking, CLONE_NEWNS) < 0)
                return error_errnof(e, errno, "join the container's mount namespace");
        return open_mapped(h, &h->plan->steps[number].open_tree, e);
}

/* Who waits for an end of the helper, or of what the container has, does not wait for us. Below base what is not
 * close-on-exec is the container's. */
static void drop_others(Helper *h) {
        h->control = close_fd(h->control);
        h->say = close_fd(h->say);
        h->hear = close_fd(h->hear);
        for (int fd = 0; fd < h->base; fd++)
                if (fcntl(fd, F_GETFD) == 0)
                        (void) close(fd);
}

static _noreturn_ void serve(Helper *h, int socket) {
        size_t number;
        int asking;

        drop_others(h);
        while (receive_fd(socket, &number, sizeof(number), &asking) == sizeof(number) &&
               receive_fd(socket, &number, sizeof(number), &h->root) == sizeof(number)) {
                _cleanup_close_ int theirs = asking, fd = -EBADF;
                _cleanup_error_ Error error = {};
                Answer a = {};

                fd = answer(h, number, theirs, &error);
                h->root = close_fd(h->root);
                a.code = fd < 0 ? error.code : 0;
                (void) snprintf(a.text, sizeof(a.text), "%s", fd < 0 ? error.message : "");
                if (send_fd(socket, &a, sizeof(a), fd < 0 ? -EBADF : fd) < 0)
                        break;
        }
        _exit(0);
}

/* Nobody's child: who goes on may be the container's process, which knows nothing of it. */
int step_opener(Helper *h, const InitOpener *s, Error *e) {
        int pair[2], status = -1;
        pid_t pid;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_errnof(e, errno, "create socket pair");
        pid = helper_fork(h, 0);
        if (pid == 0) {
                (void) close(pair[0]);
                pid = helper_fork(h, 0);
                if (pid == 0)
                        serve(h, pair[1]);
                _exit(pid < 0);
        }
        (void) close(pair[1]);
        h->opener = pair[0];
        while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        return status == 0 ? 0 : error_setf(e, ECHILD, "leave a process behind that opens mount sources");
}

static bool will_ask_again(const Helper *h) {
        for (size_t i = h->next; i < h->plan->n_steps; i++)
                if (h->plan->steps[i].op == INIT_OPEN_TREE)
                        return true;
        return false;
}

static int ask(Helper *h, const InitOpenTree *s, Error *e) {
        size_t number = h->next - 1;
        _cleanup_close_ int self = pidfd_open(getpid(), 0), fd = -EBADF;
        Answer a;
        int r;

        r = self < 0 ? -errno : send_fd(h->opener, &number, sizeof(number), self);
        if (r >= 0)
                r = send_fd(h->opener, &number, sizeof(number), h->root);
        if (r >= 0)
                r = receive_fd(h->opener, &a, sizeof(a), &fd) == sizeof(a) ? 0 : -ECHILD;
        if (r < 0)
                return error_errnof(e, r, "have mount source %s opened", s->path);
        if (a.code == 0 && fd < 0)
                return error_setf(e, EBADMSG, "have mount source %s opened", s->path);
        if (!will_ask_again(h))
                h->opener = close_fd(h->opener);
        return a.code != 0 ? error_setf(e, a.code, "%.*s", (int) sizeof(a.text), a.text) : TAKE_FD(fd);
}

int step_open_tree(Helper *h, const InitOpenTree *s, Error *e) {
        _cleanup_close_ int fd = h->opener < 0 ? open_mapped(h, s, e) : ask(h, s, e);

        return fd < 0 ? fd : helper_fill_slot(h, s->slot, &fd, e);
}

int step_lock_sources(Helper *h, const InitLockSources *s, Error *e) {
        int fds[INIT_SLOTS], r;
        size_t n = 0;

        for (const InitStep *done = h->plan->steps; done < h->plan->steps + h->next; done++) {
                if (done->op != INIT_OPEN_TREE || !(done->open_tree.extra & INIT_LOCKED))
                        continue;
                r = helper_slot(h, done->open_tree.slot, e);
                if (r < 0)
                        return r;
                fds[n++] = r;
        }
        return mount_lock(h, fds, n, e);
}
