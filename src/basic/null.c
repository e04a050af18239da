/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/null.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "basic/fd.h"
#include "basic/file.h"

int open_new_null(int flags) {
        _cleanup_close_ int fs = fsopen("tmpfs", FSOPEN_CLOEXEC), mount = -EBADF;

        if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return -errno;
        mount = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
        if (mount < 0 || mknodat(mount, "null", S_IFCHR, makedev(1, 3)) < 0 || fchmodat(mount, "null", 0666, 0) < 0)
                return -errno;
        return open_at(mount, "null", flags, 0, RESOLVE_NO_SYMLINKS);
}
