/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "helper/helper.h"

int helper_slot(Helper *h, uint64_t slot, Error *e) {
        if (slot >= INIT_SLOTS || h->slots[slot] < 0)
                return error_setf(e, EBADMSG, "slot %llu of the init plan is empty",
                                  (unsigned long long) slot);
        return h->slots[slot];
}

int helper_take_slot(Helper *h, uint64_t slot, Error *e) {
        int fd = helper_slot(h, slot, e);

        if (fd >= 0)
                h->slots[slot] = -EBADF;
        return fd;
}

int helper_set_slot(Helper *h, uint64_t slot, int fd, Error *e) {
        if (slot >= INIT_SLOTS || h->slots[slot] >= 0)
                return error_setf(e, EBADMSG, "slot %llu of the init plan is taken",
                                  (unsigned long long) slot);
        h->slots[slot] = fd;
        return 0;
}

int helper_open_host(const Helper *h, const char *path, int flags) {
        return open_at(AT_FDCWD, path, O_PATH | flags, 0, h->joined_mounts ? RESOLVE_NO_MAGICLINKS : 0); /* host */
}

int helper_root(Helper *h) {
        if (h->root < 0)
                h->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC); /* own */
        return h->root < 0 ? -errno : h->root;
}
