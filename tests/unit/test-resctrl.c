/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "host/resctrl.h"
#include "test.h"

/* A directory tree that looks like resctrl, for machines without. Two things of it no other file system does: a new
 * group has files in it, and a group goes with them. The calls for that are replaced below. */

static int root = -EBADF;
static int no_more_groups; /* what the kernel says instead of making one */

static void put(const char *path, const char *text) {
        _cleanup_close_ int fd = openat(root, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        ASSERT(fd >= 0);
        ASSERT_EQ(write_full(fd, text, strlen(text)), 0);
}

static void make_directory(const char *path) {
        ASSERT_EQ(syscall(SYS_mkdirat, root, path, 0700), 0);
}

static void put_in(const char *group, const char *name, const char *text) {
        _cleanup_free_ char *path = xasprintf("%s/%s", group, name);

        put(path, text);
}

static void fill_group(const char *group, const char *schemata) {
        _cleanup_free_ char *below = xasprintf("%s/mon_groups", group);

        put_in(group, "schemata", schemata);
        put_in(group, "tasks", "");
        make_directory(below);
}

int mkdirat(int fd, const char *path, mode_t mode) {
        if (no_more_groups != 0) {
                put("info/last_cmd_status", "Out of CLOSIDs\n");
                errno = no_more_groups;
                return -1;
        }
        if (syscall(SYS_mkdirat, fd, path, mode) < 0)
                return -1;
        if (strstr(path, "mon_groups/"))
                put_in(path, "tasks", "");
        else
                fill_group(path, "");
        return 0;
}

int unlinkat(int fd, const char *path, int flags) {
        static const char *const entries[] = { "schemata", "tasks", "mon_groups" };

        for (size_t i = 0; (flags & AT_REMOVEDIR) && i < ELEMENTSOF(entries); i++) {
                _cleanup_free_ char *entry = xasprintf("%s/%s", path, entries[i]);

                (void) syscall(SYS_unlinkat, fd, entry, i == 2 ? AT_REMOVEDIR : 0);
        }
        return (int) syscall(SYS_unlinkat, fd, path, flags);
}

static const char *content(const char *path) {
        static char *text;

        free(text);
        text = NULL;
        return read_file_at(root, path, 4096, &text, NULL) < 0 ? NULL : text;
}

static bool exists(const char *path) {
        return faccessat(root, path, F_OK, 0) == 0;
}

/* The inside of "intelRdt"; of container c1. */
static RdtPlan plan_of(const char *rdt, Spec **ret_spec) {
        _cleanup_free_ char *json = xasprintf(
                "{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"r\"},\"linux\":{\"intelRdt\":{%s}}}", rdt);
        _cleanup_error_ Error e = {};
        RdtPlan plan;

        if (spec_parse(json, strlen(json), ret_spec, &e) < 0)
                FAIL_AT("%s: %s", json, e.message);
        rdt_plan_build(*ret_spec, "c1", &plan);
        return plan;
}

static bool make(const char *rdt) {
        _cleanup_spec_ Spec *spec = NULL;
        _cleanup_error_ Error e = {};
        RdtPlan plan = plan_of(rdt, &spec);
        bool made;

        if (resctrl_check(root, &plan, &e) < 0 || resctrl_make(root, &plan, &made, &e) < 0 ||
            resctrl_assign(root, plan.group, plan.monitor, 42, &e) < 0)
                FAIL_AT("%s: %s", rdt, e.message);
        return made;
}

static void refuse(const char *rdt, int code, const char *message) {
        _cleanup_spec_ Spec *spec = NULL;
        _cleanup_error_ Error e = {};
        RdtPlan plan = plan_of(rdt, &spec);
        bool made;

        if (resctrl_make(root, &plan, &made, &e) != -code || !streq_null(e.message, message))
                FAIL_AT("%s: %d \"%s\"\n  expected \"%s\"", rdt, e.code, e.message ?: "", message);
}

static void test_own_group(void) {
        TEST("without a closID: a group of the container's name, which goes with it");
        ASSERT(make("\"l3CacheSchema\":\"L3:0=7f0\",\"enableMonitoring\":true"));
        ASSERT_STR(content("c1/schemata"), "L3:0=7f0\n");
        ASSERT_STR(content("c1/tasks"), "42\n");
        ASSERT_STR(content("c1/mon_groups/c1/tasks"), "42\n");
        refuse("", EEXIST, "linux.intelRdt: there is a group c1 already");
        ASSERT_EQ(resctrl_remove_monitor(root, "c1", "c1", NULL), 0);
        ASSERT(exists("c1") && !exists("c1/mon_groups/c1"));
        ASSERT_EQ(resctrl_remove(root, "c1", NULL), 0);
        ASSERT_EQ(resctrl_remove(root, "c1", NULL), 0);
        ASSERT(!exists("c1"));
}

static void test_order(void) {
        static const RdtLine lines[] = { { "a", "L3:0=1", true }, { "b", "MB:0=2", true }, { "c", "L2:0=3", false } };
        _cleanup_spec_ Spec *spec = NULL;
        const RdtPlan plan = plan_of("\"schemata\":[\"L2:0=3\"],\"memBwSchema\":\"MB:0=2\",\"l3CacheSchema\":\"L3:0=1\"",
                                     &spec);

        TEST("the L3 cache is written first, the bandwidth then, the rest last");
        ASSERT_EQ(plan.n_lines, ELEMENTSOF(lines));
        for (size_t i = 0; i < ELEMENTSOF(lines); i++)
                ASSERT_STR(plan.lines[i].text, lines[i].text);
        ASSERT_STR(plan.lines[2].path, "linux.intelRdt.schemata[0]");
}

static void test_shared_group(void) {
        static const char *const same[] = {
                "\"l3CacheSchema\":\"L3:0=7ff;1=7ff\"", "\"l3CacheSchema\":\"L3:1=07FF\"",
                "\"memBwSchema\":\"MB:0=100;\"", "\"memBwSchema\":\"MB:1=91\"",
        };
        static const char *const other[] = {
                "L3:0=7f0", "L3:2=7ff", "L3:0=7ff;1=1", "L3CODE:0=7ff", "L3:0", "L3:0=7ff;1", "nonsense",
        };

        TEST("with a closID: made when it is missing, compared when it is there, never removed");
        ASSERT(make("\"closID\":\"gold\",\"schemata\":[\"L3:0=7f0\"]"));
        put("gold/schemata", "    MB:0=100;1=100\n    L3:0=7ff;1=7ff\n");
        put("gold/tasks", "");
        for (size_t i = 0; i < ELEMENTSOF(same); i++) {
                _cleanup_free_ char *rdt = xasprintf("\"closID\":\"gold\",%s", same[i]);

                put("gold/schemata", "    MB:0=100;1=100\n    L3:0=7ff;1=7ff\n");
                ASSERT(!make(rdt));
        }
        put("gold/schemata", "    MB:0=100;1=100\n    L3:0=7ff;1=7ff\n");
        for (size_t i = 0; i < ELEMENTSOF(other); i++) {
                _cleanup_free_ char *rdt = xasprintf("\"closID\":\"gold\",\"l3CacheSchema\":\"%s\"", other[i]);
                _cleanup_free_ char *message = xasprintf("linux.intelRdt.l3CacheSchema: group gold is there, and has "
                                                         "something else than \"%s\"", other[i]);

                refuse(rdt, EINVAL, message);
        }
        refuse("\"closID\":\"gold\",\"memBwSchema\":\"MB:0=90\"", EINVAL,
               "linux.intelRdt.memBwSchema: group gold is there, and has something else than \"MB:0=90\"");
        ASSERT(!make("\"closID\":\"gold\""));
        ASSERT_STR(content("gold/tasks"), "42\n");
        resctrl_remove_empty(root, "gold");
        ASSERT(exists("gold"));
        put("gold/tasks", "");
        resctrl_remove_empty(root, "gold");
        ASSERT(!exists("gold"));
}

static void test_default_group(void) {
        TEST("closID \"/\" is the root, which is there");
        put("tasks", "");
        ASSERT(!make("\"closID\":\"/\",\"enableMonitoring\":true"));
        ASSERT_STR(content("tasks"), "42\n");
        ASSERT_STR(content("mon_groups/c1/tasks"), "42\n");
        ASSERT_EQ(resctrl_remove_monitor(root, RDT_ROOT, "c1", NULL), 0);
        ASSERT(!exists("mon_groups/c1"));
}

static void test_refused(void) {
        TEST("what cannot be, and nothing is left of it");
        refuse("\"closID\":\"silver\"", ENOENT,
               "linux.intelRdt.closID: no such group silver, and nothing says what it would be");
        refuse("\"closID\":\"info\"", ENOTDIR,
               "linux.intelRdt.closID: info is no group of processes: not a directory");
        no_more_groups = ENOSPC;
        refuse("", ENOSPC, "linux.intelRdt: cannot make the group: no space left on device: Out of CLOSIDs");
        no_more_groups = 0;
        put("info/last_cmd_status", "ok\n");
        ASSERT(make("\"enableMonitoring\":true"));
        refuse("\"closID\":\"/\",\"enableMonitoring\":true,\"schemata\":[]", 0, NULL);
        refuse("\"closID\":\"/\",\"enableMonitoring\":true", EEXIST,
               "linux.intelRdt.enableMonitoring: cannot make the group: file exists");
        ASSERT(exists("c1/mon_groups/c1"));
        ASSERT_EQ(resctrl_remove_monitor(root, RDT_ROOT, "c1", NULL), 0);
        ASSERT_EQ(resctrl_remove_monitor(root, "c1", "c1", NULL), 0);
        ASSERT_EQ(resctrl_remove(root, "c1", NULL), 0);
        ASSERT(!exists("silver"));
}

static void test_update(void) {
        const SpecIntelRdt rdt = { .mem_bw_schema = "MB:0=50" };
        _cleanup_(arena_done) Arena arena = {};
        _cleanup_error_ Error e = {};
        RdtPlan plan;

        TEST("update writes what it was given, and compares nothing");
        make_directory("bronze");
        fill_group("bronze", "");
        rdt_plan_build_update(&rdt, "bronze", &arena, &plan);
        ASSERT_EQ(resctrl_write(root, &plan, &e), 0);
        ASSERT_STR(content("bronze/schemata"), "MB:0=50\n");
        rdt_plan_build_update(&rdt, "nosuch", &arena, &plan);
        ASSERT_EQ(resctrl_write(root, &plan, &e), -ENOENT);
        ASSERT_STR(e.message, "linux.intelRdt: cannot open group nosuch: no such file or directory");
}

int main(void) {
        char top[] = "/tmp/test-resctrl-XXXXXX", command[64];

        ASSERT(mkdtemp(top));
        root = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ASSERT(root >= 0);
        fill_group(RDT_ROOT, "    MB:0=100;1=100\n    L3:0=7ff;1=7ff\n");
        make_directory("info");
        make_directory("info/MB");
        put("info/last_cmd_status", "ok\n");
        put("info/MB/bandwidth_gran", "10\n");
        test_own_group();
        test_order();
        test_shared_group();
        test_default_group();
        test_refused();
        test_update();
        snprintf(command, sizeof(command), "rm -r %s", top);
        return system(command) == 0 ? 0 : 1;
}
