/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/str.h"
#include "oci/spec-fields.h"

/* The largest numbers of a dev_t within the kernel. */
#define MAJOR_MAX 0xfff
#define MINOR_MAX 0xfffff

static int read_rule_type(const JsonNode *node, const JsonField *f, void *to) {
        static const char *const types[] = { "a", "b", "c", NULL };
        const char *s;
        int r;

        r = json_want_string(node, &s);
        if (r < 0)
                return r;
        if (s[0] != '\0' && !streq(s, "a") && !streq(s, "b") && !streq(s, "c"))
                return json_unknown(node, s, types);
        *(char *) to = s[0];
        return 0;
}

/* -1 is how Go programs write "any". */
static int check_number(const JsonNode *node, void *number) {
        OptI64 *o = number;

        o->set = o->v >= 0;
        return 0;
}

static int check_access(const JsonNode *node, void *access) {
        const char *s = *(const char **) access;

        if (strspn(s, "rwm") != strlen(s))
                return json_error(node, NULL, EINVAL, "\"%s\" is not made of r, w and m", s);
        return 0;
}

/* access is optional by the text, but what its absence means is not said; runc wants it too. */
static const JsonField device_rule_fields[] = {
        JSON_BOOL("allow", SpecDeviceRule, allow, .required = true),
        JSON_CUSTOM("type", read_rule_type, SpecDeviceRule, type),
        JSON_OPT_I64("major", SpecDeviceRule, major, .min = -1, .max = MAJOR_MAX, .check = check_number),
        JSON_OPT_I64("minor", SpecDeviceRule, minor, .min = -1, .max = MINOR_MAX, .check = check_number),
        JSON_STRING("access", SpecDeviceRule, access, .required = true, .check = check_access),
        {}
};

static int check_device_rule(const JsonNode *node, void *rule) {
        SpecDeviceRule *d = rule;

        if (d->type == '\0')
                d->type = 'a';
        return 0;
}

#define BYTES(name, member, ...) JSON_OPT_I64(name, SpecResources, member, .min = -1, .max = INT64_MAX, __VA_ARGS__)

static const JsonField memory_fields[] = {
        BYTES("limit", memory.limit, UNIT("MemoryMax=")),
        BYTES("reservation", memory.reservation, UNIT("MemoryLow=")),
        BYTES("swap", memory.swap, UNIT("MemorySwapMax=, less memory.limit")),
        BYTES("kernel", memory.kernel, REFUSED("not in cgroup v2, but for what memory.limit implies")),
        BYTES("kernelTCP", memory.kernel_tcp, REFUSED("not in cgroup v2, but for what memory.limit implies")),
        JSON_OPT_U64("swappiness", SpecResources, memory.swappiness, .max = 100,
                     REFUSED("not in cgroup v2, but for that of the host")),
        JSON_OPT_BOOL("disableOOMKiller", SpecResources, memory.disable_oom_killer, REFUSED("not in cgroup v2")),
        JSON_OPT_BOOL("useHierarchy", SpecResources, memory.use_hierarchy, REFUSED("false: cgroup v2 always does")),
        JSON_OPT_BOOL("checkBeforeUpdate", SpecResources, memory.check_before_update,
                      RUNTIME("update refuses a limit below what is in use")),
        {}
};

/* 0 is "not set" for these, as Go programs write it; the smallest values are the kernel's. */
static int check_period(const JsonNode *node, void *period) {
        uint64_t v = ((OptU64 *) period)->v;

        if (v != 0 && (v < 1000 || v > 1000000))
                return json_error(node, NULL, EINVAL, "%llu is out of range (1000 to 1000000)",
                                  (unsigned long long) v);
        return 0;
}

static int check_quota(const JsonNode *node, void *quota) {
        int64_t v = ((OptI64 *) quota)->v;

        if (v > 0 && v < 1000)
                return json_error(node, NULL, EINVAL, "%lld is less than 1000, the least that Linux takes",
                                  (long long) v);
        return 0;
}

static const JsonField cpu_fields[] = {
        JSON_OPT_U64("shares", SpecResources, cpu.shares, UNIT("CPUWeight=")),
        JSON_OPT_I64("quota", SpecResources, cpu.quota, .min = -1, .max = INT64_MAX, .check = check_quota,
                     UNIT("CPUQuotaPerSecUSec=")),
        JSON_OPT_U64("burst", SpecResources, cpu.burst, CGROUP("cpu.max.burst")),
        JSON_OPT_U64("period", SpecResources, cpu.period, .check = check_period,
                     UNIT("CPUQuotaPeriodUSec=, in force once there is a quota")),
        JSON_OPT_I64("realtimeRuntime", SpecResources, cpu.realtime_runtime, REFUSED("not in cgroup v2")),
        JSON_OPT_U64("realtimePeriod", SpecResources, cpu.realtime_period, REFUSED("not in cgroup v2")),
        JSON_STRING("cpus", SpecResources, cpu.cpus, .check = spec_check_list, UNIT("AllowedCPUs=")),
        JSON_STRING("mems", SpecResources, cpu.mems, .check = spec_check_list, UNIT("AllowedMemoryNodes=")),
        JSON_OPT_I64("idle", SpecResources, cpu.idle, .max = 1, UNIT("CPUWeight=idle; with shares an error in an update")),
        {}
};

static const JsonField pids_fields[] = {
        JSON_OPT_I64("limit", SpecResources, pids_limit, .min = -1, .max = INT64_MAX, UNIT("TasksMax=")),
        {}
};

static int check_weight(const JsonNode *node, void *weight) {
        uint32_t v = ((OptU32 *) weight)->v;

        if (v != 0 && (v < 10 || v > 1000))
                return json_error(node, NULL, EINVAL, "%u is out of range (10 to 1000)", v);
        return 0;
}

#define WEIGHT(name, T, member, ...)                                                    \
        JSON_OPT_U32(name, T, member, .max = UINT16_MAX, .check = check_weight, __VA_ARGS__)
#define NUMBERS(T)                                                                      \
        JSON_I64("major", T, major, .required = true, .max = MAJOR_MAX),                \
        JSON_I64("minor", T, minor, .required = true, .max = MINOR_MAX)

static const JsonField weight_device_fields[] = {
        NUMBERS(SpecWeightDevice),
        WEIGHT("weight", SpecWeightDevice, weight, UNIT("IODeviceWeight=")),
        WEIGHT("leafWeight", SpecWeightDevice, leaf_weight, REFUSED("not in cgroup v2")),
        {}
};

static int check_weight_device(const JsonNode *node, void *device) {
        const SpecWeightDevice *d = device;

        if (!d->weight.set && !d->leaf_weight.set)
                return json_error(node, NULL, EINVAL, "needs a weight or a leafWeight");
        return 0;
}

static const JsonField throttle_fields[] = {
        NUMBERS(SpecThrottle),
        JSON_U64("rate", SpecThrottle, rate, .required = true),
        {}
};

#define THROTTLE(name, kind, ...)                                                                           \
        JSON_ARRAY(name, SpecResources, block_io.throttle[kind], block_io.n_throttle[kind], SpecThrottle,   \
                   throttle_fields, __VA_ARGS__)

static const JsonField block_io_fields[] = {
        WEIGHT("weight", SpecResources, block_io.weight, UNIT("IOWeight=")),
        WEIGHT("leafWeight", SpecResources, block_io.leaf_weight, REFUSED("not in cgroup v2")),
        JSON_ARRAY("weightDevice", SpecResources, block_io.weight_devices, block_io.n_weight_devices,
                   SpecWeightDevice, weight_device_fields, .check = check_weight_device, UNIT("IODeviceWeight=")),
        THROTTLE("throttleReadBpsDevice", THROTTLE_READ_BPS, UNIT("IOReadBandwidthMax=")),
        THROTTLE("throttleWriteBpsDevice", THROTTLE_WRITE_BPS, UNIT("IOWriteBandwidthMax=")),
        THROTTLE("throttleReadIOPSDevice", THROTTLE_READ_IOPS, UNIT("IOReadIOPSMax=")),
        THROTTLE("throttleWriteIOPSDevice", THROTTLE_WRITE_IOPS, UNIT("IOWriteIOPSMax=")),
        {}
};

/* "64KB", "2MB", "1GB": a part of the name of a cgroup file. */
static int check_page_size(const JsonNode *node, void *size) {
        const char *s = *(const char **) size;
        size_t digits = strspn(s, "0123456789");

        if (digits == 0 || s[0] == '0' ||
            !(streq(s + digits, "KB") || streq(s + digits, "MB") || streq(s + digits, "GB")))
                return json_error(node, NULL, EINVAL, "\"%s\" is not a size such as \"2MB\"", s);
        return 0;
}

static const JsonField hugepage_fields[] = {
        JSON_STRING("pageSize", SpecHugepageLimit, page_size, .required = true, .check = check_page_size),
        JSON_U64("limit", SpecHugepageLimit, limit, .required = true),
        {}
};

/* Of the network controllers of cgroup v1 only their being asked for is kept. */
typedef struct Network {
        OptU32 class_id;
        struct Priority { const char *name; uint32_t priority; } *priorities;
        size_t n_priorities;
} Network;

static const JsonField priority_fields[] = {
        JSON_STRING("name", struct Priority, name, .required = true),
        JSON_U32("priority", struct Priority, priority, .required = true),
        {}
};

static const JsonField network_fields[] = {
        JSON_OPT_U32("classID", Network, class_id),
        JSON_ARRAY("priorities", Network, priorities, n_priorities, struct Priority, priority_fields),
        {}
};

static int read_network(const JsonNode *node, const JsonField *f, void *to) {
        Network n = {};
        int r;

        r = json_read_fields(node, network_fields, &n);
        if (r < 0)
                return r;
        *(bool *) to = n.class_id.set || n.n_priorities > 0;
        return 0;
}

static const JsonField rdma_fields[] = {
        JSON_OPT_U32("hcaHandles", SpecRdma, hca_handles),
        JSON_OPT_U32("hcaObjects", SpecRdma, hca_objects),
        {}
};

static int check_rdma(const JsonNode *node, void *rdma) {
        const SpecRdma *r = rdma;

        if (!r->hca_handles.set && !r->hca_objects.set)
                return json_error(node, NULL, EINVAL, "needs hcaHandles or hcaObjects");
        return spec_check_word(node, "the name of a device", r->name);
}

/* A file of the cgroup itself, "controller.something": no way to another directory. Several lines are for
 * io.max and the like. */
static int check_unified(const JsonNode *node, void *pair) {
        const char *key = ((SpecKeyValue *) pair)->key;

        if (key[0] == '.' || strchr(key, '/') || !strchr(key, '.') || endswith(key, "."))
                return json_error(node, NULL, EINVAL, "not the name of a cgroup file such as \"memory.high\"");
        return spec_check_word(node, "the name of a cgroup file", key);
}

const JsonField spec_resources_fields[] = {
        JSON_ARRAY("devices", SpecResources, devices, n_devices, SpecDeviceRule, device_rule_fields,
                   .check = check_device_rule,
                   UNIT("DeviceAllow= and DevicePolicy=, and a filter in BPF where they cannot express it")),
        JSON_INLINE("memory", memory_fields),
        JSON_INLINE("cpu", cpu_fields),
        JSON_INLINE("pids", pids_fields),
        JSON_INLINE("blockIO", block_io_fields),
        JSON_ARRAY("hugepageLimits", SpecResources, hugepage_limits, n_hugepage_limits, SpecHugepageLimit,
                   hugepage_fields, CGROUP("hugetlb.SIZE.max and hugetlb.SIZE.rsvd.max")),
        JSON_CUSTOM("network", read_network, SpecResources, has_network, .fields = network_fields,
                    REFUSED("not in cgroup v2")),
        JSON_MAP("rdma", SpecResources, rdma, n_rdma, SpecRdma, rdma_fields, .check = check_rdma, CGROUP("rdma.max")),
        JSON_MAP("unified", SpecResources, unified, n_unified, SpecKeyValue, NULL, .check = check_unified,
                 UNIT("for the file, or else the cgroup file")),
        {}
};

int spec_check_resources(const JsonNode *node, void *resources) {
        const SpecResources *r = resources;
        OptI64 limit = r->memory.limit, swap = r->memory.swap;

        if (limit.v > 0 && swap.v > 0 && swap.v < limit.v)
                return json_error(node, NULL, EINVAL,
                                  "memory.swap (%lld) includes memory, but is less than memory.limit (%lld)",
                                  (long long) swap.v, (long long) limit.v);
        if (r->cpu.quota.v > 0 && r->cpu.burst.v > (uint64_t) r->cpu.quota.v)
                return json_error(node, NULL, EINVAL, "cpu.burst (%llu) is more than cpu.quota (%lld)",
                                  (unsigned long long) r->cpu.burst.v, (long long) r->cpu.quota.v);
        return 0;
}
