/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/str.h"
#include "plan/files.h"
#include "test.h"

static Spec *parse(const char *members) {
        _cleanup_free_ char *json = xasprintf("{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"rootfs\"}%s}", members);
        Spec *spec = NULL;
        Error e = {};

        if (spec_parse(json, strlen(json), &spec, &e) < 0)
                FAIL_AT("%s", e.message);
        return spec;
}

static void expect(const FileUse *use, const char *origin, const char *path, FileNeed need, bool may_come) {
        ASSERT_STR(use->origin, origin);
        ASSERT_STR(use->path, path);
        ASSERT_EQ(use->need, need);
        ASSERT_EQ(use->may_come, may_come);
}

static const HostQueries nobody;

/* A host on which /b/alias leads to the rootfs. */
static char *beyond(const char *path, const char *directory) {
        const char *rest = startswith(path, "/b/alias/");

        ASSERT_STR(directory, "/b/rootfs");
        return rest ? xstrdup(rest) : NULL;
}

static void test_uses(void) {
        _cleanup_spec_ Spec *spec = parse(
                ",\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
                "{\"destination\":\"/a\",\"type\":\"bind\",\"source\":\"data/../x\"},"
                "{\"destination\":\"/b\",\"source\":\"/srv\",\"options\":[\"rbind\"]}],"
                "\"hooks\":{\"poststop\":[{\"path\":\"/bin/h\"}],\"startContainer\":[{\"path\":\"/inside\"}]},"
                "\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"network\",\"path\":\"/run/netns/n\"}]}");
        FileUses files;

        TEST("what a configuration names on the host");
        file_uses_build(spec, "/b", &nobody, &files);
        ASSERT_EQ(files.n, 5);
        expect(&files.uses[0], "root.path", "/b/rootfs", FILE_DIRECTORY, false);
        expect(&files.uses[1], "mounts[1].source", "/b/data/../x", FILE_ANY, false);
        expect(&files.uses[2], "mounts[2].source", "/srv", FILE_ANY, false);
        expect(&files.uses[3], "linux.namespaces[1].path", "/run/netns/n", FILE_ANY, false);
        expect(&files.uses[4], "hooks.poststop[0].path", "/bin/h", FILE_EXECUTABLE, false);
        file_uses_done(&files);
}

static void test_elsewhere(void) {
        _cleanup_spec_ Spec *joined = parse(
                ",\"mounts\":[{\"destination\":\"/a\",\"type\":\"bind\",\"source\":\"/x\"}],"
                "\"linux\":{\"namespaces\":[{\"type\":\"mount\",\"path\":\"/m\"}]}");
        _cleanup_spec_ Spec *hooked = parse(
                ",\"mounts\":[{\"destination\":\"/a\",\"type\":\"bind\",\"source\":\"/x\"}],"
                "\"hooks\":{\"createRuntime\":[{\"path\":\"/bin/h\"}]}");
        FileUses files;

        TEST("what is in another mount namespace is not on the host, and what a hook makes not yet");
        file_uses_build(joined, "/b", &nobody, &files);
        ASSERT_EQ(files.n, 1);
        expect(&files.uses[0], "linux.namespaces[0].path", "/m", FILE_ANY, false);
        file_uses_done(&files);
        file_uses_build(hooked, "/b", &nobody, &files);
        ASSERT_EQ(files.n, 3);
        expect(&files.uses[1], "mounts[0].source", "/x", FILE_ANY, true);
        ASSERT(!files.uses[1].in_rootfs);
        file_uses_done(&files);
}

static void test_in_rootfs(void) {
        static const struct { const char *source, *inside; } cases[] = {
                { "/b/rootfs", "/" }, { "/b/rootfs/", "/" }, { "//b/./rootfs/./a/../b/", "/a/../b/" },
                { "/b/rootfs/a", "/a" }, { "/b/rootfs/../rootfs/a", NULL }, { "/b/rootfs/..a", "/..a" },
                { "/b/rootfs/./..", NULL }, { "/b/rootfs/../data", NULL }, { "/b/rootfs/a/../../data", "/a/../../data" },
                { "/b/rootfsa/x", NULL }, { "/b/root", NULL }, { "/b", NULL }, { "/", NULL }, { "/alias/x", NULL },
                { "/b/alias/x", "/x" },
        };
        const HostQueries host = { .beyond = beyond };
        _cleanup_spec_ Spec *spec = parse(""), *joined = parse(
                ",\"linux\":{\"namespaces\":[{\"type\":\"mount\",\"path\":\"/m\"}]}");

        TEST("sources that are in the rootfs, by their names or by symlinks of the host");
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const char *source = cases[i].source;
                bool named = i < ELEMENTSOF(cases) - 1;

                ASSERT_STR(file_in_rootfs(spec, "/b", &host, source, &spec->arena), cases[i].inside);
                ASSERT_STR(file_in_rootfs(spec, "/b", &nobody, source, &spec->arena), named ? cases[i].inside : NULL);
                ASSERT_STR(file_in_rootfs(joined, "/b", &host, source, &spec->arena), named ? cases[i].inside : NULL);
        }
        TEST("where the root is the host's, there is nothing else");
        spec->root_path = "/";
        ASSERT_STR(file_in_rootfs(spec, "/b", &host, "/b/x", &spec->arena), NULL);
        ASSERT_STR(file_in_rootfs(spec, "/b", &host, "/", &spec->arena), NULL);
}

static void test_program(void) {
        static const struct {
                const char *members, *first, *last;
                size_t n;
                bool covered;
        } cases[] = {
                { "", NULL, NULL, 0, false },
                { ",\"process\":{\"cwd\":\"/w\",\"args\":[\"bin/x\"]}", "/w/bin/x", "/w/bin/x", 1, false },
                { ",\"process\":{\"cwd\":\"/w\",\"args\":[\"/bin/x\"]}", "/bin/x", "/bin/x", 1, false },
                { ",\"process\":{\"cwd\":\"/\",\"args\":[\"x\"],\"env\":[\"PATH=/a:b::/c\"]}", "/a/x", "/c/x", 2, false },
                { ",\"process\":{\"cwd\":\"/\",\"args\":[\"x\"]}", "/usr/local/sbin/x", "/bin/x", 6, false },
                { ",\"process\":{\"cwd\":\"/\",\"args\":[\"/x\"]},\"mounts\":[{\"destination\":\"/p\",\"type\":\"proc\","
                  "\"source\":\"proc\"}]", "/x", "/x", 1, false },
                { ",\"process\":{\"cwd\":\"/\",\"args\":[\"/x\"]},\"mounts\":[{\"destination\":\"/usr\",\"source\":\"/usr\","
                  "\"options\":[\"bind\"]}]", "/x", "/x", 1, true },
        };

        TEST("where the program may be in the rootfs");
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_spec_ Spec *spec = parse(cases[i].members);
                Strings places;
                bool covered;

                file_uses_program(spec, &spec->arena, &places, &covered);
                ASSERT_EQ(places.n, cases[i].n);
                ASSERT_EQ(covered, cases[i].covered);
                if (places.n > 0) {
                        ASSERT_STR(places.s[0], cases[i].first);
                        ASSERT_STR(places.s[places.n - 1], cases[i].last);
                }
        }
}

int main(void) {
        test_uses();
        test_elsewhere();
        test_in_rootfs();
        test_program();
        return 0;
}
