/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>

#include "plan/unit/internal.h"

/*
 * linux.resources, typed, but for memory, cpu and devices. Nothing is ignored but what the specification itself
 * declares to have no effect; what needs cgroup v1 is refused unless its value asks for nothing.
 */

#define PATH "linux.resources."

const char *unit_unified_value(const Limits *l, const char *key) {
        for (size_t i = 0; i < l->r->n_unified; i++)
                if (streq(l->r->unified[i].key, key))
                        return strip(arena_strdup(&l->plan->arena, l->r->unified[i].value));
        return NULL;
}

static int refuse(const Limits *l, const char *path) {
        return error_setf(l->reterr, EOPNOTSUPP, "%s: not available with cgroup v2", path);
}

int unit_add_pids(const Limits *l) {
        OptI64 limit = l->r->pids_limit;

        /* TasksMax=0 is no value for systemd; with 1 the container's init cannot fork either. */
        if (limit.set)
                unit_plan_set_u64(l->plan, "TasksMax", limit.v == 0 ? 1 : limit.v < 0 ? UINT64_MAX : (uint64_t) limit.v,
                                  PATH "pids.limit");
        return 0;
}

/*
 * blockIO.weight is what BFQ takes: 10 to 1000, 100 by default. systemd has one property for io.weight (1 to
 * 10000, 100 by default) and io.bfq.weight and maps the first to the second; this is the inverse, so that
 * BFQ gets the very number that was asked for and the default stays the default.
 */
uint64_t unit_weight_from_bfq(uint64_t weight) {
        return weight <= 100 ? weight : 100 + (weight - 100) * 11;
}

int unit_add_block_value(const Limits *l, const char *property, uint32_t major, uint32_t minor, uint64_t value,
                         const char *path) {
        BlockKind (*query)(uint32_t major, uint32_t minor) = l->facts->queries.block_device;
        const char *device = arena_printf(&l->plan->arena, "%" PRIu32 ":%" PRIu32, major, minor);
        UnitProp *p;

        switch (query ? query(major, minor) : BLOCK_DISK) {
        case BLOCK_PARTITION:
                return error_setf(l->reterr, EOPNOTSUPP, "%s: %s is a partition, and Linux limits whole disks only", path,
                                  device);
        case BLOCK_STACKED: /* systemd would mean the disk below */
                unit_plan_write_block(l->plan, property, device, value, path);
                return 0;
        case BLOCK_DISK:
                break;
        }
        p = unit_plan_find(l->plan, property) ?: unit_plan_set(l->plan, property, UNIT_WEIGHTS, path);
        unit_prop_set_weight(l->plan, p, arena_printf(&l->plan->arena, "/dev/block/%s", device), value);
        return 0;
}

static int add_weight_devices(const Limits *l) {
        for (size_t i = 0; i < l->r->block_io.n_weight_devices; i++) {
                const SpecWeightDevice *d = l->r->block_io.weight_devices + i;
                const char *path = arena_printf(&l->plan->arena, PATH "blockIO.weightDevice[%zu]", i);
                int r;

                if (d->leaf_weight.set && d->leaf_weight.v != 0)
                        return refuse(l, arena_printf(&l->plan->arena, "%s.leafWeight", path));
                if (!d->weight.set || d->weight.v == 0)
                        continue;
                r = unit_add_block_value(l, "IODeviceWeight", (uint32_t) d->major, (uint32_t) d->minor,
                                         unit_weight_from_bfq(d->weight.v), path);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_throttles(const Limits *l, SpecThrottleKind kind) {
        static const struct {
                const char *key, *property;
        } names[_THROTTLE_KINDS] = {
                [THROTTLE_READ_BPS] = { "throttleReadBpsDevice", "IOReadBandwidthMax" },
                [THROTTLE_WRITE_BPS] = { "throttleWriteBpsDevice", "IOWriteBandwidthMax" },
                [THROTTLE_READ_IOPS] = { "throttleReadIOPSDevice", "IOReadIOPSMax" },
                [THROTTLE_WRITE_IOPS] = { "throttleWriteIOPSDevice", "IOWriteIOPSMax" },
        };

        for (size_t i = 0; i < l->r->block_io.n_throttle[kind]; i++) {
                const SpecThrottle *d = l->r->block_io.throttle[kind] + i;
                int r;

                /* 0 lifts the limit, as it did with cgroup v1. */
                r = unit_add_block_value(l, names[kind].property, (uint32_t) d->major, (uint32_t) d->minor,
                                         d->rate ?: UINT64_MAX,
                                         arena_printf(&l->plan->arena, PATH "blockIO.%s[%zu]", names[kind].key, i));
                if (r < 0)
                        return r;
        }
        return 0;
}

int unit_add_block_io(const Limits *l) {
        const SpecResources *r = l->r;
        int k;

        if (r->block_io.leaf_weight.set && r->block_io.leaf_weight.v != 0)
                return refuse(l, PATH "blockIO.leafWeight");
        if (r->block_io.weight.set && r->block_io.weight.v != 0)
                unit_plan_set_u64(l->plan, "IOWeight", unit_weight_from_bfq(r->block_io.weight.v), PATH "blockIO.weight");
        k = add_weight_devices(l);
        for (SpecThrottleKind kind = 0; kind < _THROTTLE_KINDS && k == 0; kind++)
                k = add_throttles(l, kind);
        return k;
}

/* "2MB" in KiB; the oci layer has checked the form. */
static uint64_t page_kib(const char *size) {
        uint64_t n = strtoull(size, NULL, 10);

        return n * (endswith(size, "GB") ? 1024 * 1024 : endswith(size, "MB") ? 1024 : 1);
}

static int add_huge_pages(const Limits *l, size_t i) {
        const SpecHugepageLimit *h = l->r->hugepage_limits + i;
        Arena *a = &l->plan->arena;
        const char *path = arena_printf(a, PATH "hugepageLimits[%zu]", i);
        const char *value = arena_printf(a, "%" PRIu64, h->limit);

        if (l->facts->queries.has_huge_pages && !l->facts->queries.has_huge_pages(page_kib(h->page_size)))
                return error_setf(l->reterr, EINVAL, "%s.pageSize: this host has no pages of %s", path, h->page_size);
        unit_plan_write(l->plan, arena_printf(a, "hugetlb.%s.max", h->page_size), value, path);
        /* Reservations, too, where the kernel counts them: else mmap() succeeds and the first touch kills. */
        unit_plan_write(l->plan, arena_printf(a, "hugetlb.%s.rsvd.max", h->page_size), value, path)->optional = true;
        return 0;
}

static void add_rdma(const Limits *l, const SpecRdma *d) {
        _cleanup_text_ Text value = {};

        text_add(&value, d->name);
        if (d->hca_handles.set)
                text_addf(&value, " hca_handle=%" PRIu32, d->hca_handles.v);
        if (d->hca_objects.set)
                text_addf(&value, " hca_object=%" PRIu32, d->hca_objects.v);
        unit_plan_write(l->plan, "rdma.max", value.s, arena_printf(&l->plan->arena, PATH "rdma[\"%s\"]", d->name));
}

/* What no unit property expresses, and what no cgroup v2 has. */
int unit_add_others(const Limits *l) {
        int r = 0;

        for (size_t i = 0; i < l->r->n_hugepage_limits && r == 0; i++)
                r = add_huge_pages(l, i);
        for (size_t i = 0; i < l->r->n_rdma && r == 0; i++)
                add_rdma(l, l->r->rdma + i);
        return r == 0 && l->r->has_network ? refuse(l, PATH "network") : r;
}
