/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "host/stats.h"
#include "test.h"

/* A directory that looks like a cgroup. */
static int make_cgroup(char *path, const char *const (*files)[2]) {
        int dir;

        ASSERT(mkdtemp(path));
        dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ASSERT(dir >= 0);
        for (; (*files)[0]; files++)
                ASSERT_EQ(write_file_atomic_at(dir, (*files)[0], (*files)[1], strlen((*files)[1]), 0600), 0);
        return dir;
}

static void remove_cgroup(const char *path, int dir, const char *const (*files)[2]) {
        for (; (*files)[0]; files++)
                ASSERT_EQ(unlinkat(dir, (*files)[0], 0), 0);
        ASSERT_EQ(rmdir(path), 0);
}

static void test_everything(void) {
        static const char *const files[][2] = {
                { "cgroup.events", "populated 1\nfrozen 0\n" },
                { "cpu.stat", "usage_usec 30\nuser_usec 10\nsystem_usec 20\nnr_periods 4\nnr_throttled 3\nthrottled_usec 2\n" },
                { "cpu.pressure", "some avg10=1.50 avg60=0.00 avg300=0.25 total=77\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n" },
                { "cpuset.cpus.effective", "0-2,7\n" },
                { "cpuset.mems.effective", "0\n" },
                { "memory.current", "4096\n" },
                { "memory.peak", "8192\n" },
                { "memory.max", "max\n" },
                { "memory.swap.current", "5\n" },
                { "memory.swap.max", "10\n" },
                { "memory.events", "low 0\nhigh 0\nmax 9\noom 1\noom_kill 1\n" },
                { "memory.stat", "anon 1\nfile 2\n" },
                { "pids.current", "3\n" },
                { "pids.max", "max\n" },
                { "io.stat", "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n254:16 \n" },
                { "hugetlb.2MB.current", "1\n" },
                { "hugetlb.2MB.rsvd.current", "2\n" },
                { "hugetlb.2MB.events", "max 6\n" },
                { "hugetlb.1GB.current", "0\n" },
                { NULL, NULL },
        };
        char path[] = "/tmp/test-stats-XXXXXX";
        _cleanup_close_ int dir = make_cgroup(path, files);
        _cleanup_stats_ Stats s = {};

        TEST("all files");
        ASSERT_EQ(stats_read_cgroup(dir, &s), 0);
        ASSERT(s.cpu.usage == 30 && s.cpu.user == 10 && s.cpu.system == 20);
        ASSERT(s.cpu.periods == 4 && s.cpu.throttled_periods == 3 && s.cpu.throttled == 2);
        ASSERT(s.cpu_pressure.set && s.cpu_pressure.some.total == 77 && s.cpu_pressure.full.total == 7);
        ASSERT_STR(s.cpu_pressure.some.averages[0], "1.50");
        ASSERT_STR(s.cpu_pressure.some.averages[2], "0.25");
        ASSERT(!s.memory_pressure.set);
        ASSERT(s.cpus.n == 8 && s.cpus.bits[0] == 0x87);
        ASSERT(s.mems.n == 8 && s.mems.bits[0] == 0x01);
        ASSERT(s.memory.usage == 4096 && s.memory.peak == 8192 && s.memory.limit == UINT64_MAX && s.memory.failures == 9);
        ASSERT(s.swap.usage == 5 && s.swap.peak == 0 && s.swap.limit == 10);
        ASSERT_EQ(s.n_memory_stat, 2);
        ASSERT_STR(s.memory_stat[1].name, "file");
        ASSERT_EQ(s.memory_stat[1].value, 2);
        ASSERT(s.pids == 3 && s.pids_limit == 0);
        ASSERT_EQ(s.n_blocks, 2);
        ASSERT(s.blocks[0].major == 8 && s.blocks[0].rbytes == 1 && s.blocks[0].wbytes == 2 && s.blocks[0].wios == 4);
        ASSERT(s.blocks[1].major == 254 && s.blocks[1].minor == 16 && s.blocks[1].rios == 0);
        ASSERT_EQ(s.n_huge_pages, 2);
        for (size_t i = 0; i < s.n_huge_pages; i++)
                ASSERT_EQ(s.huge_pages[i].usage, streq(s.huge_pages[i].size, "2MB") ? 2 : 0);
        remove_cgroup(path, dir, files);
}

/* A cgroup below, which a container made in its own. */
static void test_no_file(void) {
        static const char *const files[][2] = { { "cgroup.events", "populated 1\n" }, { "hugetlb.2MB.current", "3\n" },
                                                { NULL, NULL } };
        static const char *const below[] = { "hugetlb.1GB.current", "hugetlb.2MB.rsvd.current", "memory.max", "pids.max" };
        char path[] = "/tmp/test-stats-XXXXXX";
        _cleanup_close_ int dir = make_cgroup(path, files);
        _cleanup_stats_ Stats s = {};

        TEST("cgroups that are called as files are none");
        for (size_t i = 0; i < ELEMENTSOF(below); i++)
                ASSERT_EQ(mkdirat(dir, below[i], 0700), 0);
        ASSERT_EQ(stats_read_cgroup(dir, &s), 0);
        ASSERT_EQ(s.n_huge_pages, 1);
        ASSERT_EQ(s.huge_pages[0].usage, 3);
        ASSERT(s.memory.limit == 0 && s.pids_limit == 0);
        for (size_t i = 0; i < ELEMENTSOF(below); i++)
                ASSERT_EQ(unlinkat(dir, below[i], AT_REMOVEDIR), 0);
        remove_cgroup(path, dir, files);
}

static void test_little(void) {
        static const char *const files[][2] = { { "cgroup.events", "frozen 0\npopulated 0\n" }, { NULL, NULL } };
        char path[] = "/tmp/test-stats-XXXXXX";
        _cleanup_close_ int dir = make_cgroup(path, files);
        _cleanup_stats_ Stats s = {};
        uint64_t value = 7;

        TEST("no controllers, and no cgroup");
        ASSERT_EQ(stats_read_cgroup(dir, &s), 0);
        ASSERT(s.memory.limit == 0 && s.n_blocks == 0 && s.cpus.n == 0 && s.pids == 0);
        ASSERT_EQ(stats_read_key(dir, "cgroup.events", "populated", &value), 0);
        ASSERT_EQ(value, 0);
        ASSERT_EQ(stats_read_key(dir, "cgroup.events", "popul", &value), -ENODATA);
        remove_cgroup(path, dir, files);
        stats_done(&s);
        ASSERT_EQ(stats_read_cgroup(dir, &s), -ENOENT);
}

static void test_network(void) {
        _cleanup_stats_ Stats s = {};

        TEST("the network of a process");
        stats_read_network(getpid(), &s);
        for (size_t i = 0; i < s.n_networks; i++)
                ASSERT(s.networks[i].name[0] && !streq(s.networks[i].name, "lo"));
        stats_read_network(-1, &s);
}

int main(void) {
        test_everything();
        test_no_file();
        test_little();
        test_network();
        return 0;
}
