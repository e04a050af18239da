/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <linux/magic.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <termios.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "helper/mounts.h"
#include "helper/steps.h"
#include "helper/talk.h"
#include "helper/targets.h"

#define PTMX_DEVICE makedev(5, 2)
#define PTS_MAJOR_FIRST 136U
#define PTS_MAJOR_LAST 143U

static bool on_devpts(int fd, struct stat *ret) {
        struct statfs f;

        return fstatfs(fd, &f) == 0 && f.f_type == DEVPTS_SUPER_MAGIC && fstat(fd, ret) == 0;
}

/* The devpts that we mounted, else what the container has at /dev/pts if it is one. */
static int open_devpts(Helper *h, Error *e) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        fd = h->devpts >= 0 ? fcntl(h->devpts, F_DUPFD_CLOEXEC, 3)
                            : open_in_root(helper_root(h), "/dev/pts", O_PATH | O_DIRECTORY, 0);
        if (fd < 0)
                return error_errnof(e, h->devpts >= 0 ? errno : fd, "open /dev/pts for the console");
        if (!on_devpts(fd, &st))
                return error_setf(e, ENODEV, "open /dev/pts for the console: not a devpts");
        return TAKE_FD(fd);
}

static int open_master(int devpts, Error *e) {
        _cleanup_close_ int fd = openat(devpts, "ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
        struct stat st;
        int unlock = 0;

        if (fd < 0)
                return error_errnof(e, errno, "open /dev/pts/ptmx");
        if (!on_devpts(fd, &st) || !S_ISCHR(st.st_mode) || st.st_rdev != PTMX_DEVICE)
                return error_setf(e, ENODEV, "open /dev/pts/ptmx: not the pty multiplexer");
        if (ioctl(fd, TIOCSPTLCK, &unlock) < 0)
                return error_errnof(e, errno, "unlock pty");
        return TAKE_FD(fd);
}

static int open_peer(int master, const InitConsole *s, Error *e) {
        _cleanup_close_ int fd = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        struct winsize size = { .ws_row = (uint16_t) s->height, .ws_col = (uint16_t) s->width };
        struct stat st;

        if (fd < 0)
                return error_errnof(e, errno, "open pty");
        if (!on_devpts(fd, &st) || !S_ISCHR(st.st_mode) || major(st.st_rdev) < PTS_MAJOR_FIRST ||
            major(st.st_rdev) > PTS_MAJOR_LAST)
                return error_setf(e, ENODEV, "open pty: not a pty");
        if ((size.ws_row != 0 || size.ws_col != 0) && ioctl(fd, TIOCSWINSZ, &size) < 0)
                return error_errnof(e, errno, "set size of pty");
        if (fchown(fd, s->uid, s->gid) < 0)
                return error_errnof(e, errno, "change owner of pty");
        return TAKE_FD(fd);
}

static int attach_console(Helper *h, int peer, Error *e) {
        const char *name;
        _cleanup_close_ int dir = -EBADF, place = -EBADF, mount_fd = mount_clone(peer, false);
        int r;

        if (mount_fd < 0)
                return error_errnof(e, mount_fd, "bind pty");
        r = target_open_parent(h, "/dev/console", &dir, &name, e);
        if (r >= 0)
                r = target_open_node(dir, name, "/dev/console", &place, e);
        return r < 0 ? r : target_attach(h, place, mount_fd, "/dev/console", e);
}

static int put_on_stdio(int peer, Error *e) {
        for (int fd = 0; fd <= 2; fd++)
                if (dup2(peer, fd) < 0)
                        return error_errnof(e, errno, "put pty on descriptor %d", fd);
        return 0;
}

int step_console(Helper *h, const InitConsole *s, Error *e) {
        _cleanup_close_ int devpts = -EBADF, master = -EBADF, peer = -EBADF;
        int r;

        devpts = r = open_devpts(h, e);
        if (r >= 0)
                master = r = open_master(devpts, e);
        if (r >= 0)
                peer = r = open_peer(master, s, e);
        if (r >= 0 && s->bind)
                r = attach_console(h, peer, e);
        if (r >= 0)
                r = talk_send(h, INIT_MSG_CONSOLE, 0, master, e);
        h->has_console = r >= 0;
        return r < 0 ? r : put_on_stdio(peer, e);
}

/* Its name is one of the rootfs that was copied. In a devpts nothing is renamed, and a number is the same in each mount. */
void console_reopen(Helper *h) {
        _cleanup_close_ int devpts = -EBADF, peer = -EBADF;
        struct stat old, new;
        char name[16];

        if (!h->has_console || fstat(STDIN_FILENO, &old) < 0)
                return;
        devpts = open_in_root(h->root, "/dev/pts", O_PATH | O_DIRECTORY, 0);
        if (devpts < 0 || !on_devpts(devpts, &new) || new.st_dev != old.st_dev)
                return;
        (void) snprintf(name, sizeof(name), "%u", minor(old.st_rdev));
        peer = openat(devpts, name, O_RDWR | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
        if (peer >= 0 && fstat(peer, &new) == 0 && new.st_ino == old.st_ino)
                (void) put_on_stdio(peer, NULL);
}

int step_control_terminal(Helper *h, const InitControlTerminal *s, Error *e) {
        if (ioctl(STDIN_FILENO, TIOCSCTTY, 0) < 0)
                return error_errnof(e, errno, "set controlling terminal");
        return 0;
}
