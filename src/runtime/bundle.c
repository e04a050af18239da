/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "basic/fd.h"
#include "basic/file.h"

#define CONFIG_MAX_BYTES (64UL * 1024 * 1024)

/* A bundle may come from anybody: opening a FIFO would wait for whoever writes. */
static int read_config(int bundle, char **ret, size_t *ret_size) {
        _cleanup_close_ int fd = openat(bundle, "config.json", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
        return read_file_fd(fd, CONFIG_MAX_BYTES, ret, ret_size);
}

int bundle_read(const CreateOptions *options, char **ret_path, char **ret_config, size_t *ret_size, Error *reterr) {
        const char *file = options->config, *directory = options->bundle ?: ".";
        _cleanup_close_ int bundle = -EBADF;
        int r;

        if (isempty(directory))
                return error_setf(reterr, EINVAL, "the name of the bundle is empty");
        *ret_path = realpath(directory, NULL);
        bundle = *ret_path ? open(*ret_path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -EBADF;
        if (bundle < 0)
                return error_errnof(reterr, errno, "cannot open the bundle %s", directory);
        r = file ? read_file_at(AT_FDCWD, file, CONFIG_MAX_BYTES, ret_config, ret_size)
                 : read_config(bundle, ret_config, ret_size);
        if (r < 0)
                r = error_errnof(reterr, r, "cannot read %s in the bundle %s", file ?: "config.json", *ret_path);
        if (r == -ENOENT && !file && !options->bundle)
                error_suffixf(reterr, " (the bundle is the working directory, or what --bundle names; the ID is only a name, "
                              "and there are no images here)");
        return r;
}

const char *bundle_config_name(const CreateOptions *options, Arena *a) {
        const char *bundle = options->bundle;

        if (options->config || !bundle || streq(bundle, "."))
                return options->config ?: "config.json";
        return arena_printf(a, "%s%sconfig.json", bundle, endswith(bundle, "/") ? "" : "/");
}
