/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>

#include "plan-util.h"

#define RESOURCES(...) "\"resources\":{" __VA_ARGS__ "}"

static void expect(const char *linux_, const char *line) {
        _cleanup_planned_ Planned p = plan_with(linux_, "", true);

        expect_line(&p, line);
}

static void expect_absent(const char *linux_, const char *word) {
        _cleanup_planned_ Planned p = plan_with(linux_, "", true);

        expect_no(&p, word);
}

static void refuse(const char *linux_, int code, const char *part) {
        _cleanup_planned_ Planned p = plan_with(linux_, "", true);

        expect_error(&p, code, part);
}

static void test_memory(void) {
        TEST("memory");
        expect(RESOURCES("\"memory\":{\"limit\":67108864}"), "MemoryMax t 67108864");
        expect(RESOURCES("\"memory\":{\"limit\":-1}"), "MemoryMax t infinity");
        expect(RESOURCES("\"memory\":{\"limit\":-1}"), "MemorySwapMax t infinity");
        expect_absent(RESOURCES("\"memory\":{\"limit\":0,\"swap\":0,\"reservation\":0}"), "MemoryMax");
        expect_absent(RESOURCES("\"memory\":{\"limit\":100}"), "MemorySwapMax");
        expect(RESOURCES("\"memory\":{\"reservation\":5}"), "MemoryLow t 5");
        expect(RESOURCES("\"memory\":{\"limit\":100,\"swap\":150}"), "MemorySwapMax t 50");
        expect(RESOURCES("\"memory\":{\"limit\":100,\"swap\":100}"), "MemorySwapMax t 0");
        expect(RESOURCES("\"memory\":{\"limit\":100,\"swap\":-1}"), "MemorySwapMax t infinity");
        expect(RESOURCES("\"memory\":{\"limit\":-1,\"swap\":150}"), "MemorySwapMax t 150");
        refuse(RESOURCES("\"memory\":{\"swap\":150}"), EINVAL, "linux.resources.memory.swap");
        refuse(RESOURCES("\"memory\":{\"limit\":200,\"swap\":150}"), EINVAL, "memory.swap");
        refuse(RESOURCES("\"memory\":{\"useHierarchy\":false}"), EOPNOTSUPP, "linux.resources.memory.useHierarchy");
        refuse(RESOURCES("\"memory\":{\"swappiness\":0}"), EOPNOTSUPP, "linux.resources.memory.swappiness");
        refuse(RESOURCES("\"memory\":{\"disableOOMKiller\":true}"), EOPNOTSUPP, "disableOOMKiller");
        expect_absent(RESOURCES("\"memory\":{\"swappiness\":60,\"disableOOMKiller\":false,\"kernel\":-1,\"kernelTCP\":0,"
                                "\"useHierarchy\":true,\"checkBeforeUpdate\":true}"), "MemoryMax");

        TEST("memory: limits that the one for all memory implies");
        expect_absent(RESOURCES("\"memory\":{\"limit\":100,\"kernel\":100,\"kernelTCP\":200}"), "kernel");
        refuse(RESOURCES("\"memory\":{\"kernel\":100}"), EOPNOTSUPP, "linux.resources.memory.kernel:");
        refuse(RESOURCES("\"memory\":{\"limit\":100,\"kernelTCP\":99}"), EOPNOTSUPP, "linux.resources.memory.kernelTCP:");
        refuse(RESOURCES("\"memory\":{\"limit\":-1,\"kernel\":99}"), EOPNOTSUPP, "linux.resources.memory.kernel:");
}

static void test_weights(void) {
        static const struct { uint64_t shares, weight; } table[] = {
                { 1, 1 }, { 2, 1 }, { 3, 2 }, { 256, 35 }, { 512, 59 }, { 1000, 99 }, { 1024, 100 }, { 1025, 101 },
                { 2048, 174 }, { 4096, 303 }, { 8192, 532 }, { 65535, 3023 }, { 262143, 10000 }, { 262144, 10000 },
                { UINT64_MAX, 10000 },
        };

        TEST("CPU shares as every runtime converts them");
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_text_ Text json = {}, line = {};

                text_addf(&json, RESOURCES("\"cpu\":{\"shares\":%" PRIu64 "}"), table[i].shares);
                text_addf(&line, "CPUWeight t %" PRIu64, table[i].weight);
                expect(json.s, line.s);
        }
        expect_absent(RESOURCES("\"cpu\":{\"shares\":0}"), "CPUWeight");
        expect(RESOURCES("\"cpu\":{\"shares\":2048,\"idle\":1}"), "CPUWeight t 0");
        expect(RESOURCES("\"cpu\":{\"shares\":1024,\"idle\":0}"), "CPUWeight t 100");
}

static void test_cpu(void) {
        TEST("CPU time and sets");
        expect(RESOURCES("\"cpu\":{\"quota\":50000,\"period\":100000}"), "CPUQuotaPerSecUSec t 500000");
        expect(RESOURCES("\"cpu\":{\"quota\":50000,\"period\":100000}"), "CPUQuotaPeriodUSec t 100000");
        expect(RESOURCES("\"cpu\":{\"quota\":50000}"), "CPUQuotaPerSecUSec t 500000");
        expect_absent(RESOURCES("\"cpu\":{\"quota\":50000}"), "CPUQuotaPeriodUSec");
        expect(RESOURCES("\"cpu\":{\"quota\":1001,\"period\":100000}"), "CPUQuotaPerSecUSec t 20000");
        expect(RESOURCES("\"cpu\":{\"quota\":-1,\"period\":50000}"), "CPUQuotaPerSecUSec t infinity");
        expect_absent(RESOURCES("\"cpu\":{\"period\":50000}"), "CPUQuotaPerSecUSec");
        expect_absent(RESOURCES("\"cpu\":{\"quota\":0,\"period\":0}"), "CPUQuota");
        expect(RESOURCES("\"cpu\":{\"quota\":9223372036854775807,\"period\":1000}"), "CPUQuotaPerSecUSec t infinity");
        expect(RESOURCES("\"cpu\":{\"cpus\":\"0-3,7\"}"), "AllowedCPUs ay 8f");
        expect(RESOURCES("\"cpu\":{\"cpus\":\" 1, 9 ,\"}"), "AllowedCPUs ay 02 02");
        expect(RESOURCES("\"cpu\":{\"mems\":\"0\"}"), "AllowedMemoryNodes ay 01");
        expect_absent(RESOURCES("\"cpu\":{\"cpus\":\"\",\"mems\":\"\"}"), "Allowed");
        expect(RESOURCES("\"cpu\":{\"quota\":50000,\"burst\":20000}"),
               "cgroup cpu.max.burst = 20000 # linux.resources.cpu.burst");
        refuse(RESOURCES("\"cpu\":{\"realtimeRuntime\":1}"), EOPNOTSUPP, "linux.resources.cpu.realtimeRuntime");
        refuse(RESOURCES("\"cpu\":{\"realtimePeriod\":1000}"), EOPNOTSUPP, "linux.resources.cpu.realtimePeriod");
        expect_absent(RESOURCES("\"cpu\":{\"realtimePeriod\":0,\"realtimeRuntime\":0}"), "CPUQuota");
}

static void test_others(void) {
        TEST("tasks, block devices, huge pages, rdma, network");
        expect(RESOURCES("\"pids\":{\"limit\":-1}"), "TasksMax t infinity");
        expect(RESOURCES("\"pids\":{\"limit\":0}"), "TasksMax t infinity");
        expect(RESOURCES("\"pids\":{\"limit\":100}"), "TasksMax t 100");
        expect(RESOURCES("\"blockIO\":{\"weight\":10}"), "IOWeight t 10");
        expect(RESOURCES("\"blockIO\":{\"weight\":100}"), "IOWeight t 100");
        expect(RESOURCES("\"blockIO\":{\"weight\":1000}"), "IOWeight t 10000");
        expect_absent(RESOURCES("\"blockIO\":{\"weight\":0,\"leafWeight\":0}"), "IOWeight");
        refuse(RESOURCES("\"blockIO\":{\"leafWeight\":100}"), EOPNOTSUPP, "linux.resources.blockIO.leafWeight");
        expect(RESOURCES("\"blockIO\":{\"weightDevice\":[{\"major\":8,\"minor\":16,\"weight\":500}]}"),
               "IODeviceWeight a(st) /dev/block/8:16=4500");
        expect(RESOURCES("\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0,\"rate\":1024},"
                         "{\"major\":8,\"minor\":16,\"rate\":0}]}"),
               "IOReadBandwidthMax a(st) /dev/block/8:0=1024 /dev/block/8:16=infinity");
        expect(RESOURCES("\"blockIO\":{\"throttleWriteIOPSDevice\":[{\"major\":8,\"minor\":0,\"rate\":10}]}"),
               "IOWriteIOPSMax a(st) /dev/block/8:0=10");
        expect(RESOURCES("\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":4194304}]"),
               "cgroup hugetlb.2MB.rsvd.max = 4194304 (optional) # linux.resources.hugepageLimits[0]");
        expect(RESOURCES("\"rdma\":{\"mlx5_0\":{\"hcaHandles\":3,\"hcaObjects\":10}}"),
               "cgroup rdma.max = mlx5_0 hca_handle=3 hca_object=10 # linux.resources.rdma[\"mlx5_0\"]");
        refuse(RESOURCES("\"network\":{\"classID\":1}"), EOPNOTSUPP, "linux.resources.network");
        expect_absent(RESOURCES("\"network\":{}"), "network");
}

static void test_unified(void) {
        TEST("unified becomes the property that owns the file");
        expect(RESOURCES("\"unified\":{\"memory.max\":\"max\"}"), "MemoryMax t infinity");
        expect(RESOURCES("\"unified\":{\"memory.max\":\" 0\\n\"}"), "MemoryMax t 1");
        expect(RESOURCES("\"unified\":{\"memory.min\":\"0\"}"), "MemoryMin t 0");
        expect(RESOURCES("\"memory\":{\"limit\":5},\"unified\":{\"memory.max\":\"7\"}"), "MemoryMax t 7");
        expect(RESOURCES("\"unified\":{\"memory.swap.max\":\"0\"}"), "MemorySwapMax t 0");
        expect(RESOURCES("\"unified\":{\"pids.max\":\"9\"}"), "TasksMax t 9");
        expect(RESOURCES("\"unified\":{\"cpu.max\":\"max\"}"), "CPUQuotaPerSecUSec t infinity");
        expect(RESOURCES("\"unified\":{\"cpu.max\":\"20000 50000\"}"), "CPUQuotaPerSecUSec t 400000");
        expect(RESOURCES("\"unified\":{\"cpu.weight\":\"7\"}"), "CPUWeight t 7");
        expect(RESOURCES("\"unified\":{\"cpu.idle\":\"1\",\"cpu.weight\":\"7\"}"), "CPUWeight t 0");
        expect(RESOURCES("\"unified\":{\"cpu.weight\":\"7\",\"cpu.idle\":\"1\"}"), "CPUWeight t 0");
        expect(RESOURCES("\"cpu\":{\"idle\":0,\"shares\":1024},\"unified\":{\"cpu.idle\":\"1\"}"), "CPUWeight t 0");
        expect(RESOURCES("\"unified\":{\"cpu.weight.nice\":\"0\"}"), "CPUWeight t 100");
        expect(RESOURCES("\"unified\":{\"cpu.weight.nice\":\"-20\"}"), "CPUWeight t 8668");
        expect(RESOURCES("\"unified\":{\"cpu.weight.nice\":\"19\"}"), "CPUWeight t 1");
        expect(RESOURCES("\"unified\":{\"cpu.weight.nice\":\"1\",\"cpu.weight\":\"9\"}"), "CPUWeight t 9");
        expect(RESOURCES("\"cpu\":{\"quota\":5000},\"unified\":{\"cpu.max\":\"20000 50000\"}"),
               "CPUQuotaPerSecUSec t 400000");
        refuse(RESOURCES("\"cpu\":{\"burst\":5000},\"unified\":{\"cpu.max\":\"2000 50000\"}"), EINVAL,
               "linux.resources.cpu.burst");
        expect(RESOURCES("\"unified\":{\"cpuset.cpus\":\"0,2\"}"), "AllowedCPUs ay 05");
        expect(RESOURCES("\"unified\":{\"io.weight\":\"default 300\\n8:0 500\"}"), "IOWeight t 300");
        expect(RESOURCES("\"unified\":{\"io.weight\":\"default 300\\n8:0 500\"}"),
               "IODeviceWeight a(st) /dev/block/8:0=500");
        expect(RESOURCES("\"unified\":{\"io.bfq.weight\":\"500\"}"), "IOWeight t 4500");
        expect(RESOURCES("\"unified\":{\"io.max\":\"8:0 rbps=1000 wiops=max\\n8:16 rbps=5\"}"),
               "IOReadBandwidthMax a(st) /dev/block/8:0=1000 /dev/block/8:16=5");
        expect(RESOURCES("\"unified\":{\"io.latency\":\"8:0 target=75000\"}"),
               "IODeviceLatencyTargetUSec a(st) /dev/block/8:0=75000");
        expect(RESOURCES("\"unified\":{\"memory.oom.group\":\"1\"}"), "OOMPolicy s kill (optional)");
        expect(RESOURCES("\"unified\":{\"memory.oom.group\":\"0\"}"),
               "cgroup memory.oom.group = 0 (instead of OOMPolicy) # linux.resources.unified[\"memory.oom.group\"]");
        expect(RESOURCES("\"unified\":{\"memory.zswap.max\":\"5\"}"), "MemoryZSwapMax t 5 (optional)");
        expect(RESOURCES("\"unified\":{\"hugetlb.1GB.max\":\"0\"}"),
               "cgroup hugetlb.1GB.max = 0 # linux.resources.unified[\"hugetlb.1GB.max\"]");
        expect(RESOURCES("\"unified\":{\"misc.max\":\"a 1\\nb 2\"}"),
               "cgroup misc.max = b 2 # linux.resources.unified[\"misc.max\"]");
        expect(RESOURCES("\"unified\":{\"cgroup.max.depth\":\"3\"}"),
               "cgroup cgroup.max.depth = 3 # linux.resources.unified[\"cgroup.max.depth\"]");
}

static void test_unified_refusals(void) {
        static const struct { const char *key, *value; int code; } table[] = {
                { "cgroup.procs", "1", EOPNOTSUPP },      { "cgroup.kill", "1", EOPNOTSUPP },
                { "cgroup.freeze", "1", EOPNOTSUPP },     { "cgroup.subtree_control", "+cpu", EOPNOTSUPP },
                { "cgroup.type", "threaded", EOPNOTSUPP },{ "cpu.weight.nice", "20", EINVAL },
                { "memory.pressure", "some 1 2", EOPNOTSUPP }, { "cpu.weight.nice", "", EINVAL },
                { "memory", "1", EINVAL },                { ".max", "1", EINVAL },
                { "memory/memory.max", "1", EINVAL },     { "../x.y", "1", EINVAL },
                { "a..b", "1", EINVAL },                  { "memory.max", "", EINVAL },
                { "memory.max", "-1", EINVAL },           { "memory.max", "1G", EINVAL },
                { "memory.max", "1 2", EINVAL },          { "cpu.max", "0", EINVAL },
                { "cpu.max", "1 2 3", EINVAL },           { "cpu.max", "1000 10", EINVAL },
                { "cpu.weight", "0", EINVAL },            { "cpu.weight", "10001", EINVAL },
                { "cpu.idle", "2", EINVAL },              { "cpuset.cpus", "x", EINVAL },
                { "cpuset.cpus", "0-9999", EINVAL },      { "io.weight", "8:0 0", EINVAL },
                { "io.weight", "8 100", EINVAL },         { "io.weight", "8:0 default", EINVAL },
                { "io.bfq.weight", "1001", EINVAL },      { "io.max", "rbps=1", EINVAL },
                { "io.max", "8:0 rbps=0", EINVAL },       { "io.max", "8:0 target=5", EINVAL },
                { "io.max", "9999:0 rbps=5", EINVAL },    { "memory.oom.group", "2", EINVAL },
                { "pids.max", "many", EINVAL },
        };

        TEST("what unified must not say");
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_text_ Text json = {};

                text_addf(&json, RESOURCES("\"unified\":{\"%s\":\"%s\"}"), table[i].key, table[i].value);
                refuse(json.s, table[i].code, table[i].key);
        }
        refuse(RESOURCES("\"unified\":{\"io.weight\":\"5\",\"io.bfq.weight\":\"5\"}"), EINVAL, "io.bfq.weight");
}

#define NOW { .memory_max = { true, 1000 }, .swap_max = { true, 500 }, .memory_current = { true, 300 },               \
              .swap_current = { true, 100 }, .cpu_quota = { true, 50000 }, .cpu_period = { true, 100000 },              \
              .cpu_burst = { true, 20000 }, .oom_group = { true, false } }

typedef struct Update {
        const char *json, *text; /* text: the plan, or what is in the error */
        bool fails;
} Update;

static void check_updates(const Update *table, size_t n, const LimitsNow *now) {
        const HostFacts facts = {};

        for (size_t i = 0; i < n; i++) {
                _cleanup_planned_ Planned p = {};

                ASSERT_EQ(spec_parse_resources(table[i].json, strlen(table[i].json), &p.spec, &p.error), 0);
                p.r = unit_plan_build_update(p.spec->linux_.resources, &facts, now, &p.plan, &p.error);
                if (table[i].fails) {
                        ASSERT(p.r < 0);
                        ASSERT(strstr(p.error.message, table[i].text));
                        continue;
                }
                if (p.r < 0)
                        FAIL_AT("%s: %s", table[i].json, p.error.message);
                text_addn(&p.text, "", 0);
                unit_plan_print(&p.plan, &p.text);
                ASSERT_STR(p.text.s, table[i].text);
        }
}

static void test_update(void) {
        static const Update table[] = {
                { "{}", "" },
                { "{\"memory\":{\"limit\":5},\"pids\":{\"limit\":-1}}", "MemoryMax t 5\nTasksMax t infinity\n" },
                { "{\"cpu\":{\"period\":50000}}", "CPUQuotaPeriodUSec t 50000\n" },
                { "{\"devices\":[{\"allow\":true,\"access\":\"rwm\"}]}", "DeviceAllow a(ss)\nDevicePolicy s auto\n" },
                { "{\"cpu\":{\"idle\":0}}", "" },
                { "{\"unified\":{\"cpu.idle\":\"0\",\"cpu.weight\":\"5\"}}", "CPUWeight t 5\n" },
                { "{\"unified\":{\"memory.oom.group\":\"1\"}}", "linux.resources.unified[\"memory.oom.group\"]", true },
                { "{\"memory\":{\"swap\":5}}", "linux.resources.memory.swap", true },
        };

        TEST("an update says only what it was asked");
        check_updates(table, ELEMENTSOF(table), NULL);
}

static void test_partial_update(void) {
        static const Update table[] = {
                { "{\"memory\":{\"limit\":1200}}", "MemoryMax t 1200\n" },
                { "{\"memory\":{\"limit\":1501},\"unified\":{\"memory.swap.max\":\"7\"}}",
                  "MemoryMax t 1501\nMemorySwapMax t 7\n" },
                { "{\"memory\":{\"limit\":-1}}", "MemoryMax t infinity\nMemorySwapMax t infinity\n" },
                { "{\"memory\":{\"swap\":1100}}", "MemorySwapMax t 100\n" },
                { "{\"memory\":{\"swap\":-1}}", "MemorySwapMax t infinity\n" },
                { "{\"memory\":{\"swap\":999}}", "linux.resources.memory.swap", true },
                { "{\"memory\":{\"reservation\":9}}", "MemoryLow t 9\n" },
                { "{\"memory\":{\"kernel\":1000}}", "" },
                { "{\"memory\":{\"kernel\":999}}", "linux.resources.memory.kernel", true },
                { "{\"memory\":{\"limit\":300,\"swap\":400,\"checkBeforeUpdate\":true}}",
                  "MemoryMax t 300\nMemorySwapMax t 100\n" },
                { "{\"memory\":{\"limit\":299,\"swap\":400,\"checkBeforeUpdate\":true}}", "memory.limit: 299", true },
                { "{\"memory\":{\"limit\":300,\"swap\":399,\"checkBeforeUpdate\":true}}", "memory.swap: 399", true },
                { "{\"cpu\":{\"quota\":25000}}", "CPUQuotaPerSecUSec t 250000\nCPUQuotaPeriodUSec t 100000\n" },
                { "{\"cpu\":{\"period\":50000}}", "CPUQuotaPerSecUSec t 1000000\nCPUQuotaPeriodUSec t 50000\n" },
                { "{\"cpu\":{\"quota\":-1}}", "CPUQuotaPerSecUSec t infinity\n" },
                { "{\"unified\":{\"cpu.max\":\"30000\"}}", "CPUQuotaPerSecUSec t 300000\nCPUQuotaPeriodUSec t 100000\n" },
                { "{\"cpu\":{\"quota\":10000}}", "linux.resources.cpu.quota: the burst in force", true },
                { "{\"cpu\":{\"quota\":10000,\"burst\":0}}",
                  "CPUQuotaPerSecUSec t 100000\nCPUQuotaPeriodUSec t 100000\n"
                  "cgroup cpu.max.burst = 0 # linux.resources.cpu.burst\n" },
                { "{\"cpu\":{\"burst\":50001}}", "linux.resources.cpu.burst", true },
                { "{\"cpu\":{\"idle\":0}}", "" },
                { "{\"unified\":{\"memory.oom.group\":\"0\"}}", "" },
        };

        TEST("what goes with what is in force");
        check_updates(table, ELEMENTSOF(table), &(LimitsNow) NOW);
}

static void test_other_states(void) {
        static const Update idle[] = {
                { "{\"cpu\":{\"idle\":0}}", "CPUWeight t 100\n" },
                { "{\"unified\":{\"cpu.idle\":\"0\"}}", "CPUWeight t 100\n" },
                { "{\"cpu\":{\"idle\":0,\"shares\":512}}", "CPUWeight t 59\n" },
                { "{\"cpu\":{\"shares\":512}}", "CPUWeight t 59\n" },
                { "{\"cpu\":{\"shares\":0}}", "" },
                { "{\"unified\":{\"cpu.weight\":\"5\"}}", "CPUWeight t 5\n" },
                { "{\"cpu\":{\"idle\":1,\"shares\":0}}", "CPUWeight t 0\n" },
                { "{\"cpu\":{\"idle\":1,\"shares\":512}}", "linux.resources.cpu.shares: ", true },
                { "{\"unified\":{\"cpu.idle\":\"1\",\"cpu.weight\":\"5\"}}", "unified[\"cpu.weight\"]: ", true },
        };
        static const Update frozen[] = {
                { "{\"memory\":{\"limit\":2000},\"pids\":{\"limit\":-1},\"cpu\":{\"shares\":512,\"quota\":25000}}",
                  "MemoryMax t 2000\nCPUWeight t 59\nCPUQuotaPerSecUSec t 250000\nTasksMax t infinity\n"
                  "cgroup memory.max = 2000 # linux.resources.memory.limit\n"
                  "cgroup cpu.weight = 59 # linux.resources.cpu.shares\n"
                  "cgroup pids.max = max # linux.resources.pids.limit\n"
                  "cgroup cpu.max = 25000 100000 # linux.resources.cpu.quota\n" },
                { "{\"cpu\":{\"idle\":1,\"cpus\":\"0-2,5\"}}", "CPUWeight t 0\nAllowedCPUs ay 27\n"
                  "cgroup cpu.idle = 1 # linux.resources.cpu.idle\ncgroup cpuset.cpus = 0-2,5 # linux.resources.cpu.cpus\n" },
                { "{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]}", "linux.resources.devices: ", true },
        };
        static const Update unlimited[] = {
                { "{\"memory\":{\"limit\":2000}}", "MemoryMax t 2000\n" },
                { "{\"memory\":{\"swap\":2000}}", "MemorySwapMax t 2000\n" },
                { "{\"cpu\":{\"period\":50000}}", "CPUQuotaPeriodUSec t 50000\n" },
                { "{\"cpu\":{\"quota\":500000}}", "CPUQuotaPerSecUSec t 500000\nCPUQuotaPeriodUSec t 1000000\n" },
                { "{\"cpu\":{\"quota\":500000,\"period\":0}}",
                  "CPUQuotaPerSecUSec t 500000\nCPUQuotaPeriodUSec t 1000000\n" },
                { "{\"unified\":{\"cpu.max\":\"20000\"}}", "CPUQuotaPerSecUSec t 20000\nCPUQuotaPeriodUSec t 1000000\n" },
        };

        TEST("idle, frozen, no limits");
        check_updates(idle, ELEMENTSOF(idle), &(LimitsNow){ .cpu_idle = true });
        check_updates(frozen, ELEMENTSOF(frozen), &(LimitsNow){ .frozen = true });
        check_updates(unlimited, ELEMENTSOF(unlimited),
                      &(LimitsNow){ .memory_max = { true, UINT64_MAX }, .swap_max = { true, UINT64_MAX },
                                    .cpu_quota = { true, UINT64_MAX }, .cpu_period = { true, 1000000 } });
}

static BlockKind block_device(uint32_t major, uint32_t minor) {
        return major == 253 ? BLOCK_STACKED : major == 8 && minor == 1 ? BLOCK_PARTITION : BLOCK_DISK;
}

static bool has_huge_pages(uint64_t kib) {
        return kib == 2048;
}

static char *possible(bool nodes) {
        return xstrdup(nodes ? "0\n" : "0-1,4\n");
}

static uint64_t swappiness(void) {
        return 10;
}

static void test_host(void) {
        static const HostQueries queries = { block_device, has_huge_pages, possible, swappiness };
        static const struct { const char *json, *text; } table[] = {
                { "{\"cpu\":{\"cpus\":\"0,4\",\"mems\":\"0\"}}", NULL },
                { "{\"cpu\":{\"cpus\":\"0-2\"}}", "linux.resources.cpu.cpus: there is no CPU 2 (there are 0-1,4)" },
                { "{\"cpu\":{\"mems\":\"1\"}}", "linux.resources.cpu.mems: there is no memory node 1" },
                { "{\"unified\":{\"cpuset.cpus\":\"17\"}}", "unified[\"cpuset.cpus\"]: there is no CPU 17" },
                { "{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":0}]}", NULL },
                { "{\"hugepageLimits\":[{\"pageSize\":\"1GB\",\"limit\":0}]}", "linux.resources.hugepageLimits[0].pageSize" },
                { "{\"memory\":{\"swappiness\":10}}", NULL },
                { "{\"memory\":{\"swappiness\":60}}", "linux.resources.memory.swappiness" },
                { "{\"blockIO\":{\"weightDevice\":[{\"major\":8,\"minor\":1,\"weight\":50}]}}",
                  "linux.resources.blockIO.weightDevice[0]: 8:1 is a partition" },
                { "{\"blockIO\":{\"throttleReadIOPSDevice\":[{\"major\":8,\"minor\":0,\"rate\":5},"
                  "{\"major\":8,\"minor\":1,\"rate\":5}]}}", "linux.resources.blockIO.throttleReadIOPSDevice[1]" },
        };
        static const Update stacked[] = {
                { "{\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":253,\"minor\":0,\"rate\":5}]}}",
                  "cgroup io.max = 253:0 rbps=5 # linux.resources.blockIO.throttleReadBpsDevice[0]\n" },
                { "{\"unified\":{\"io.latency\":\"253:1 target=7\",\"io.weight\":\"253:1 8\"}}",
                  "cgroup io.latency = 253:1 target=7 # linux.resources.unified[\"io.latency\"]\n"
                  "cgroup io.weight = 253:1 8 # linux.resources.unified[\"io.weight\"]\n" },
        };
        const HostFacts facts = { .queries = queries };

        TEST("what this host has not got");
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_planned_ Planned p = {};

                ASSERT_EQ(spec_parse_resources(table[i].json, strlen(table[i].json), &p.spec, &p.error), 0);
                p.r = unit_plan_build_update(p.spec->linux_.resources, &facts, NULL, &p.plan, &p.error);
                ASSERT_EQ(p.r < 0, table[i].text != NULL);
                if (table[i].text)
                        ASSERT(strstr(p.error.message, table[i].text));
        }

        TEST("systemd would take the disk below for a device that is made of others");
        for (size_t i = 0; i < ELEMENTSOF(stacked); i++) {
                _cleanup_planned_ Planned p = {};

                ASSERT_EQ(spec_parse_resources(stacked[i].json, strlen(stacked[i].json), &p.spec, &p.error), 0);
                ASSERT_EQ(unit_plan_build_update(p.spec->linux_.resources, &facts, NULL, &p.plan, &p.error), 0);
                unit_plan_print(&p.plan, &p.text);
                ASSERT_STR(p.text.s, stacked[i].text);
        }
}

static void test_files(void) {
        static const struct { UnitProp prop; const char *file; } table[] = {
                { { .name = "MemoryMax", .type = UNIT_U64, .v.u64 = 5 }, "memory.max" },
                { { .name = "MemoryMax", .type = UNIT_U64, .v.u64 = UINT64_MAX }, NULL },
                { { .name = "MemoryLow", .type = UNIT_U64, .v.u64 = 0 }, NULL },
                { { .name = "MemorySwapMax", .type = UNIT_U64, .v.u64 = 0 }, "memory.swap.max" },
                { { .name = "CPUWeight", .type = UNIT_U64, .v.u64 = 0 }, "cpu.idle" },
                { { .name = "CPUWeight", .type = UNIT_U64, .v.u64 = 1 }, "cpu.weight" },
                { { .name = "CPUWeight", .type = UNIT_U64, .v.u64 = 100 }, NULL }, /* what containerd asks for by itself */
                { { .name = "AllowedCPUs", .type = UNIT_BYTES }, "cpuset.cpus" },
                { { .name = "Description", .type = UNIT_STRING }, NULL },
        };

        TEST("where a limit can be seen");
        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                ASSERT(streq_null(unit_prop_file(&table[i].prop), table[i].file));
}

int main(void) {
        test_memory();
        test_weights();
        test_cpu();
        test_others();
        test_unified();
        test_unified_refusals();
        test_update();
        test_partial_update();
        test_other_states();
        test_host();
        test_files();
        return 0;
}
