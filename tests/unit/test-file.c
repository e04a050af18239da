/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/file.h"
#include "test.h"

static char top[] = "/tmp/ocirt-sd-file-XXXXXX";

static const char *const directories[] = { "b", "b/rootfs", "b/rootfs/data", "b/other", "b/other/deep" };
static const char *const files[] = { "file", "b/rootfs/file" };
static const struct { const char *name, *target; } links[] = {
        { "alias", "b/rootfs/data" }, { "absolute", "" }, { "last", "b/../b/rootfs" }, { "chain", "alias" },
        { "deep", "b/other" }, { "loop", "loop" }, { "nowhere", "nosuch" }, { "outside", "absolute/out" },
        { "b/rootfs/out", "/etc" }, { "b/rootfs/up", "../.." },
};

static void make_all(void) {
        _cleanup_free_ char *rootfs = NULL;

        ASSERT(mkdtemp(top) && chdir(top) == 0);
        rootfs = xasprintf("%s/b/rootfs", top);
        for (size_t i = 0; i < ELEMENTSOF(directories); i++)
                ASSERT_EQ(mkdir(directories[i], 0755), 0);
        for (size_t i = 0; i < ELEMENTSOF(files); i++)
                ASSERT_EQ(mknod(files[i], S_IFREG | 0644, 0), 0);
        for (size_t i = 0; i < ELEMENTSOF(links); i++)
                ASSERT_EQ(symlink(links[i].target[0] ? links[i].target : rootfs, links[i].name), 0);
}

static void remove_all(void) {
        for (size_t i = 0; i < ELEMENTSOF(links); i++)
                ASSERT_EQ(unlink(links[i].name), 0);
        for (size_t i = 0; i < ELEMENTSOF(files); i++)
                ASSERT_EQ(unlink(files[i]), 0);
        for (size_t i = ELEMENTSOF(directories); i-- > 0;)
                ASSERT_EQ(rmdir(directories[i]), 0);
        ASSERT_EQ(rmdir(top), 0);
}

static void expect(const char *path, const char *rest) {
        _cleanup_free_ char *directory = xasprintf("%s/b/rootfs", top), *full = xasprintf("%s/%s", top, path);
        _cleanup_free_ char *found = path_beyond_symlinks(full, directory);

        ASSERT_STR(found, rest);
}

static void test_beyond_symlinks(void) {
        static const struct { const char *path, *rest; } cases[] = {
                /* Plain ones, and what is not there. */
                { "b/rootfs", "" }, { "b//./rootfs/data", "data" }, { "b/other", NULL }, { "b", NULL },
                { "b/rootfs/none", "none" }, { "b/rootfs/none/..", "none/.." }, { "b/rootfs/file/x", "file/x" },
                { "none", NULL }, { "file/x", NULL },
                /* By symlinks of the host, on which a name comes after another. */
                { "alias/x", "data/x" }, { "absolute/data", "data" }, { "last", "" }, { "chain/x", "data/x" },
                { "deep/../rootfs/x", "x" }, { "deep/x", NULL }, { "loop/x", NULL }, { "nowhere/rootfs", NULL },
                /* Those of the rootfs are not followed. */
                { "b/rootfs/out/x", "out/x" }, { "outside", "out" }, { "b/rootfs/up/../../../b/other", "up/../../../b/other" },
                /* In and out. */
                { "b/rootfs/../rootfs/x", "x" }, { "b/rootfs/./../other", NULL }, { "b/rootfs/..data", "..data" },
                { "b/other/../rootfs/x", "x" },
        };

        TEST("what is left of a path when it has come to a directory");
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                expect(cases[i].path, cases[i].rest);
}

static void test_beyond_by_the_kernel(void) {
        _cleanup_free_ char *path = NULL, *found = NULL, *directory = xasprintf("%s/b/rootfs", top);
        int fd = open(directory, O_PATH | O_CLOEXEC);

        TEST("by a link of procfs's, which has no path");
        path = xasprintf("/proc/self/fd/%d/data", fd);
        found = path_beyond_symlinks(path, directory);
        ASSERT_STR(found, "data");
        (void) close(fd);
}

int main(void) {
        make_all();
        test_beyond_symlinks();
        test_beyond_by_the_kernel();
        remove_all();
        return 0;
}
