/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "helper/mounts.h"
#include "helper/steps.h"
#include "helper/targets.h"

/*
 * What hides a path: for a file a null device, which was looked at when its slot was filled, not what a path leads to by
 * now; for a directory an empty read-only tmpfs. One of each, cloned for every further path. A detached mount cannot be
 * cloned by kernels before 6.15, so it is the mask in place that is cloned.
 */
#define MASK_ATTRIBUTES (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

static int new_empty_directory(Helper *h, Error *e) {
        static const char *options[] = { "nr_inodes=2", "mode=755", NULL };
        const NewFs new = { .type = "tmpfs", .source = "tmpfs", .options = options, .attrs = MASK_ATTRIBUTES };
        int fd, r;

        r = newfs_create(h, &new, &fd, e);
        return r < 0 ? r : fd;
}

/* Of a read-only mount it takes what is written to it, but no other owner or mode: these would be those of the device. */
static int new_null(Helper *h, InitSlot slot, Error *e) {
        _cleanup_close_ int fd = helper_take_slot(h, slot, e);
        int r;

        if (fd < 0)
                return fd;
        r = mount_attributes(fd, MOUNT_ATTR_RDONLY, 0, false);
        if (r >= 0)
                r = mount_propagation(fd, MS_PRIVATE);
        return r < 0 ? error_errnof(e, r, "make a mount of a null device read-only and private") : TAKE_FD(fd);
}

static int new_mask(Helper *h, const InitMask *s, bool directory, Error *e) {
        int *in_place = directory ? &h->mask_dir : &h->mask_file, fd;

        if (*in_place >= 0) {
                fd = mount_clone(*in_place, false);
                return fd < 0 ? error_errnof(e, fd, "clone mask") : fd;
        }
        return directory ? new_empty_directory(h, e) : new_null(h, s->null, e);
}

static int keep_mask(Helper *h, bool directory, int fd) {
        int *in_place = directory ? &h->mask_dir : &h->mask_file;

        if (*in_place < 0)
                *in_place = TAKE_FD(fd);
        return fd;
}

/* A path that is not there needs no hiding. */
static bool is_absent(int r) {
        return r == -ENOENT || r == -ENOTDIR;
}

int step_mask(Helper *h, const InitMask *s, Error *e) {
        _cleanup_close_ int place = target_look_up(h, s->mount, s->path, s->rest), mask = -EBADF;
        bool directory;
        struct stat st;
        int r;

        if (is_absent(place))
                return 0;
        if (place < 0)
                return error_errnof(e, place, "mask %s", s->path);
        if (fstat(place, &st) < 0)
                return error_errnof(e, errno, "mask %s", s->path);
        directory = S_ISDIR(st.st_mode);
        mask = r = new_mask(h, s, directory, e);
        if (r >= 0)
                r = target_attach(h, place, mask, s->path, e);
        if (r < 0)
                return error_prefixf(e, "mask %s", s->path);
        close_fd(keep_mask(h, directory, TAKE_FD(mask)));
        return 0;
}

int step_readonly(Helper *h, const InitReadonly *s, Error *e) {
        _cleanup_close_ int place = target_look_up(h, s->mount, s->path, s->rest), copy = -EBADF;
        int r = place;

        if (is_absent(r))
                return 0;
        if (r >= 0)
                copy = r = mount_clone(place, true);
        if (r >= 0)
                r = mount_attributes(copy, MOUNT_ATTR_RDONLY, 0, false);
        if (r < 0)
                return error_errnof(e, r, "make %s read-only", s->path);
        r = target_attach(h, place, copy, s->path, e);
        if (r >= 0)
                r = target_keep(h, s->keep, copy, e);
        return r < 0 ? error_prefixf(e, "make %s read-only", s->path) : 0;
}
