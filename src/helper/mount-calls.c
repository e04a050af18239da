/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "basic/fd.h"
#include "helper/mounts.h"

int mount_clone(int fd, bool recursive) {
        unsigned flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0U);
        int mount_fd = open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags);

        return mount_fd < 0 ? -errno : mount_fd;
}

int mount_attributes(int fd, uint64_t set, uint64_t clear, bool recursive) {
        struct mount_attr a = { .attr_set = set, .attr_clr = clear };

        if (set == 0 && clear == 0)
                return 0;
        if (set & MOUNT_ATTR__ATIME) /* a value of several bits, to be replaced as a whole */
                a.attr_clr |= MOUNT_ATTR__ATIME;
        if (mount_setattr(fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0U), &a, sizeof(a)) < 0)
                return -errno;
        return 0;
}

/* One attribute after the other then. */
int mount_change_attributes(int fd, uint64_t set, uint64_t clear, bool recursive) {
        int r = mount_attributes(fd, set, clear, recursive);

        if (r != -EPERM)
                return r;
        for (uint64_t bit = 1; bit <= MOUNT_ATTR_NOSYMFOLLOW; bit <<= 1)
                if (clear & bit & ~(uint64_t) MOUNT_ATTR__ATIME)
                        (void) mount_attributes(fd, 0, bit, recursive);
        if (clear & MOUNT_ATTR__ATIME)
                (void) mount_attributes(fd, set & MOUNT_ATTR__ATIME, MOUNT_ATTR__ATIME, recursive);
        return mount_attributes(fd, set & ~(uint64_t) MOUNT_ATTR__ATIME, 0, recursive);
}

int mount_change_all(int fd, uint64_t set, uint64_t clear, uint64_t recursive_set, uint64_t recursive_clear) {
        int r = mount_change_attributes(fd, set, clear, false);

        return r < 0 ? r : mount_change_attributes(fd, recursive_set, recursive_clear, true);
}

int mount_propagation(int fd, uint64_t flags) {
        static const uint64_t kinds[] = { MS_PRIVATE, MS_UNBINDABLE, MS_SLAVE, MS_SHARED };

        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                struct mount_attr a = { .propagation = kinds[i] };

                if ((flags & kinds[i]) &&
                    mount_setattr(fd, "", AT_EMPTY_PATH | (flags & MS_REC ? AT_RECURSIVE : 0U), &a,
                                  sizeof(a)) < 0)
                        return -errno;
        }
        return 0;
}
