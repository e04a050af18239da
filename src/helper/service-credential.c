/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd.h"
#include "helper/steps.h"
#include "helper/targets.h"

/* In a file system that is new: what is there by that name was put there meanwhile. */
static int make(int dir, const InitCredential *s) {
        _cleanup_close_ int fd = openat(dir, s->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
        int r;

        if (fd < 0)
                return -errno;
        r = write_full(fd, s->content.bytes, s->content.size);
        if (r == 0 && (fchmod(fd, 0400) < 0 || fchown(fd, s->uid, s->gid) < 0))
                r = -errno;
        return r;
}

int step_credential(Helper *h, const InitCredential *s, Error *e) {
        _cleanup_close_ int dir = target_look_up(h, s->mount, s->path, s->rest);
        int r = dir < 0 ? dir : strchr(s->name, '/') ? -EBADMSG : make(dir, s);

        return r < 0 ? error_errnof(e, r, "make credential %s in %s", s->name, s->path) : 0;
}
