/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "basic/fd.h"
#include "helper/steps.h"
#include "helper/talk.h"
#include "helper/targets.h"

/* Its mode, with no umask of ours, lets everybody send; who gets there is for the container to decide. By way of the working
 * directory, which needs no path. */
static int bind_in(int dir, int fd, const char *name) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int r;

        if (strlen(name) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        memcpy(address.sun_path, name, strlen(name));
        r = fchdir(dir) < 0 || bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0 ? -errno : 0;
        return chdir("/") < 0 && r == 0 ? -errno : r;
}

/* As the gate it is of the container's network namespace: who is in there may get at it while it waits. */
int step_notify(Helper *h, const InitNotify *s, Error *e) {
        _cleanup_close_ int dir = target_look_up(h, s->mount, s->path, s->rest);
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        int r = fd < 0 ? -errno : dir < 0 ? dir : bind_in(dir, fd, s->name);

        if (r < 0)
                return error_errnof(e, r, "make a socket in %s", s->path);
        if (!s->kept)
                return talk_send(h, INIT_MSG_NOTIFY, 0, fd, e);
        h->notify = TAKE_FD(fd);
        return 0;
}
