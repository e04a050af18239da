/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "plan/unit/internal.h"
#include "test.h"

static void expect(const char *path, bool rootless, const char *name, const char *slice) {
        _cleanup_(arena_done) Arena a = {};
        _cleanup_error_ Error e = {};
        const char *n, *s;

        if (unit_name_build(path, "c1", rootless, &a, &n, &s, &e) < 0)
                FAIL_AT("%s: %s", path, e.message);
        ASSERT_STR(n, name);
        ASSERT_STR(s, slice);
}

static void test_names(void) {
        TEST("names and slices");
        expect(NULL, false, "ocirt-sd-c1.scope", "system.slice");
        expect("", true, "ocirt-sd-c1.scope", "user.slice");
        expect("system.slice:docker:0123", false, "docker-0123.scope", "system.slice");
        expect("machine-libpod_pod_12.slice:libpod:34", false, "libpod-34.scope", "machine-libpod_pod_12.slice");
        expect("user.slice:libpod:34", true, "libpod-34.scope", "user.slice");
        expect(":docker:1", false, "docker-1.scope", "system.slice");
        expect(":docker:1", true, "docker-1.scope", "user.slice");
        expect("a.slice::1", false, "1.scope", "a.slice");
        expect("a.slice:1", false, "1.scope", "a.slice");
        expect("foo.slice", false, "ocirt-sd-c1.scope", "foo.slice");
        expect("/foo.slice", true, "ocirt-sd-c1.scope", "foo.slice");
        expect("/default/c1", false, "default-c1.scope", "system.slice");
        expect("default//./c1/", true, "default-c1.scope", "user.slice");
        expect("/kubepods.slice/kubepods-pod1.slice/cri-1", false, "cri-1.scope", "kubepods-pod1.slice");
        expect("/a.slice/a-b-c.slice/x", false, "x.scope", "a-b-c.slice");
        expect("/", false, "ocirt-sd-c1.scope", "system.slice");
}

static void test_escapes(void) {
        _cleanup_(arena_done) Arena a = {};
        const char *n, *s;

        TEST("what unit names do not take is escaped");
        expect("a.slice:p:x+y@z", false, "p-x\\x2by\\x40z.scope", "a.slice");
        expect("a.slice:p:x\\x2fy", false, "p-x\\x5cx2fy.scope", "a.slice");
        expect("a.slice::.hidden", false, "\\x2ehidden.scope", "a.slice");
        expect("a.slice:p:x/y", false, "p-x\\x2fy.scope", "a.slice");
        expect("/a/b\xc3\xa4", false, "a-b\\xc3\\xa4.scope", "system.slice");
        ASSERT_EQ(unit_name_build(NULL, "a+b.service", false, &a, &n, &s, NULL), 0);
        ASSERT_STR(n, "ocirt-sd-a\\x2bb.service.scope");
}

static void test_length(void) {
        _cleanup_(arena_done) Arena a = {};
        const char *first, *second, *s;
        char id[201] = "";

        TEST("long names are cut, differ, and cut no escape");
        memset(id, '+', 200);
        ASSERT_EQ(unit_name_build(NULL, id, false, &a, &first, &s, NULL), 0);
        ASSERT(strlen(first) <= 200);
        id[199] = '-';
        ASSERT_EQ(unit_name_build(NULL, id, false, &a, &second, &s, NULL), 0);
        ASSERT(!streq(first, second));
        for (size_t room = 0; room < 4; room++) {
                const char *dash;

                memset(id, 'a', 4);
                ASSERT_EQ(unit_name_build(NULL, id + room, false, &a, &first, &s, NULL), 0);
                dash = strrchr(first, '-');
                ASSERT(dash && dash - first > 160 && (dash[-1] == 'b' || dash[-1] == 'a') && endswith(first, ".scope"));
        }
}

static void test_refusals(void) {
        static const char *const bad[] = {
                "a.slice:b:c:d", "a.slice:b:", "a.slice::", ":", "a.slice:", "-:p:n", "-.slice:p:n", "-a.slice:p:n",
                "a-.slice:p:n", "a--b.slice:p:n", ".slice:p:n", "a:p:n", "a.service:p:n", "a/b.slice:p:n",
                "a b.slice:p:n", "a@b.slice:p:n", "system.slice:sshd.service:", "system.slice::sshd.service",
                "a.slice:p:b.slice", "a.slice::init", "/init", "/a/../b", "..", "/-.slice", "/a--b.slice/c",
                "/x/foo.slice", "/a.service", ".a.slice:p:n", "/a.slice/b.slice/c", "/a.slice/ab.slice/c",
                "/a-b.slice/a-c.slice/d", "/a-b.slice/a.slice/d", "/x/foo.slice/c", "/-.slice/a.slice/c",
        };

        TEST("names that are none, and those of others");
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_(arena_done) Arena a = {};
                _cleanup_error_ Error e = {};
                const char *n, *s;

                if (unit_name_build(bad[i], "c1", false, &a, &n, &s, &e) != -EINVAL)
                        FAIL_AT("\"%s\" is accepted", bad[i]);
                ASSERT(strstr(e.message, "linux.cgroupsPath: "));
        }
}

static void test_units_above(void) {
        static const struct { const char *path, *unit; } table[] = {
                { "/system.slice/x.service/c1", "x.service" }, { "/a/b.scope/c.service/d", "b.scope" },
                { "/system.slice/x.service", NULL }, { "/x.scope", NULL }, { "/a/b", NULL }, { "/", NULL }, { "", NULL },
        };

        TEST("units that a path leads through");
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_(arena_done) Arena a = {};
                const char *unit = unit_name_above(table[i].path, &a);

                ASSERT(unit ? table[i].unit && streq(unit, table[i].unit) : !table[i].unit);
        }
}

int main(void) {
        test_names();
        test_escapes();
        test_length();
        test_refusals();
        test_units_above();
        return 0;
}
