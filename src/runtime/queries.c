/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a plan may want to know of the host, looked up when it does. */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "basic/file.h"
#include "host/cgroup.h"
#include "runtime/queries.h"

#define FILE_MAX_BYTES 4096U

static BlockKind block_device(uint32_t major, uint32_t minor) {
        _cleanup_free_ char *path = xasprintf("/sys/dev/block/%" PRIu32 ":%" PRIu32, major, minor);
        _cleanup_free_ char *partition = xasprintf("%s/partition", path), *slaves = xasprintf("%s/slaves", path);
        BlockKind kind = BLOCK_DISK;
        struct dirent *entry;
        DIR *dir;

        if (access(partition, F_OK) == 0)
                return BLOCK_PARTITION;
        dir = opendir(slaves);
        while (dir && (entry = readdir(dir)))
                if (entry->d_name[0] != '.')
                        kind = BLOCK_STACKED;
        if (dir)
                closedir(dir);
        return kind;
}

static bool has_huge_pages(uint64_t kib) {
        _cleanup_free_ char *path = xasprintf("/sys/kernel/mm/hugepages/hugepages-%" PRIu64 "kB", kib);

        return access(path, F_OK) == 0;
}

static char *possible(bool nodes) {
        char *text;
        int r;

        r = read_file_at(AT_FDCWD, nodes ? "/sys/devices/system/node/possible" : "/sys/devices/system/cpu/possible",
                         FILE_MAX_BYTES, &text, NULL);
        return r < 0 ? NULL : text;
}

static uint64_t swappiness(void) {
        _cleanup_free_ char *text = NULL;

        return read_file_at(AT_FDCWD, "/proc/sys/vm/swappiness", FILE_MAX_BYTES, &text, NULL) < 0
                ? UINT64_MAX : strtoull(text, NULL, 10);
}

const HostQueries host_queries = {
        .block_device = block_device,
        .has_huge_pages = has_huge_pages,
        .possible = possible,
        .swappiness = swappiness,
        .may_make_cgroup = cgroup_is_ours_to_make,
        .beyond = path_beyond_symlinks,
};
