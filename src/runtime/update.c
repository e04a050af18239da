/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "host/cgroup.h"
#include "runtime/runtime.h"

#define FILE_MAX_BYTES 4096U

/* The default of cpu.shares, which stands for systemd's default weight. */
#define DEFAULT_SHARES 1024

/* The first number in a cgroup file; INT64_MAX for "max"; -errno when there is no such file. */
static int64_t read_number(int cgroup, const char *file, const char **ret_rest, char **ret_text) {
        char *text;
        long long value;
        int r, n = 0;

        r = read_file_at(cgroup, file, FILE_MAX_BYTES, &text, NULL);
        if (r < 0)
                return r;
        if (startswith(text, "max")) {
                value = INT64_MAX;
                n = 3;
        } else if (sscanf(text, "%lld%n", &value, &n) != 1)
                value = -EBADMSG;
        if (ret_rest) {
                *ret_rest = text + n;
                *ret_text = text;
        } else
                free(text);
        return value;
}

/* A quota is a share of a period: who gives one of them keeps the other. */
static void fill_cpu_bandwidth(SpecResources *r, int cgroup) {
        bool quota = r->cpu.quota.set && r->cpu.quota.v != 0, period = r->cpu.period.set && r->cpu.period.v != 0;
        _cleanup_free_ char *text = NULL;
        const char *rest = NULL;
        int64_t now;
        unsigned long long now_period;

        if (quota == period)
                return;
        now = read_number(cgroup, "cpu.max", &rest, &text);
        if (now < 0 || sscanf(rest, " %llu", &now_period) != 1)
                return;
        if (quota)
                r->cpu.period = (OptU64){ true, now_period };
        else
                r->cpu.quota = (OptI64){ true, now == INT64_MAX ? -1 : now };
}

/*
 * What the request leaves out, and what it gives means something only with: from the cgroup, which is what is in
 * force. Changes r.
 */
static void fill_in(SpecResources *r, int cgroup) {
        if (r->memory.swap.set && r->memory.swap.v > 0 && (!r->memory.limit.set || r->memory.limit.v == 0)) {
                int64_t limit = read_number(cgroup, "memory.max", NULL, NULL);

                if (limit > 0)
                        r->memory.limit = (OptI64){ true, limit == INT64_MAX ? -1 : limit };
        }
        fill_cpu_bandwidth(r, cgroup);
        if (r->cpu.idle.set && r->cpu.idle.v == 0 && !r->cpu.shares.set) {
                r->cpu.idle.set = false;
                if (read_number(cgroup, "cpu.idle", NULL, NULL) == 1)
                        r->cpu.shares = (OptU64){ true, DEFAULT_SHARES };
        }
}

static int check_memory(const SpecResources *r, int cgroup, Error *reterr) {
        int64_t used;

        if (!r->memory.check_before_update.v || !r->memory.limit.set || r->memory.limit.v <= 0)
                return 0;
        used = read_number(cgroup, "memory.current", NULL, NULL);
        return used <= r->memory.limit.v ? 0
                : error_setf(reterr, EBUSY, "linux.resources.memory.limit: %lld bytes are less than the %lld in use",
                             (long long) r->memory.limit.v, (long long) used);
}

static int write_files(const UnitPlan *plan, int cgroup, Error *reterr) {
        for (size_t i = 0; i < plan->n_writes; i++) {
                const CgroupWrite *w = &plan->writes[i];
                int r = w->instead_of ? 0 : write_kernel_file(cgroup, w->file, w->value);

                if (r < 0 && !(r == -ENOENT && w->optional))
                        return error_errnof(reterr, r, "%s: cannot write %s of the container's cgroup", w->path, w->file);
        }
        return 0;
}

/* Unit properties through systemd, at once and for all of them or none; then the files that no property expresses. */
static int apply(const Runtime *rt, const Container *c, SpecResources *resources, int cgroup, Error *reterr) {
        _cleanup_(unit_plan_done) UnitPlan plan = {};
        _cleanup_manager_ Manager *m = NULL;
        int r;

        fill_in(resources, cgroup);
        r = check_memory(resources, cgroup, reterr);
        if (r == 0)
                r = unit_plan_build_update(resources, &rt->facts, &plan, reterr);
        if (r == 0 && plan.n_props > 0) {
                r = manager_open(c->record.user_manager, &m, reterr);
                if (r == 0)
                        r = manager_set_properties(m, c->record.unit, &plan, reterr);
        }
        return r < 0 ? r : write_files(&plan, cgroup, reterr);
}

int runtime_update(const Runtime *rt, const char *id, SpecResources *resources, Error *reterr) {
        _cleanup_store_ Store store = { .fd = -EBADF };
        _cleanup_container_ Container c = { .dir = -EBADF };
        _cleanup_close_ int cgroup = -EBADF;
        int r;

        r = store_open(rt->root, false, &store, reterr);
        if (r == 0)
                r = container_open(&store, id, LOCK_WAIT, &c, reterr);
        if (r < 0)
                return r;
        if (container_status(&c) == STATUS_STOPPED)
                return error_setf(reterr, EBUSY, "cannot update container %s: container not running", id);
        if (!c.record.unit)
                return error_setf(reterr, EOPNOTSUPP, "cannot update container %s: it has no cgroup of its own", id);
        cgroup = cgroup_open(c.record.cgroup);
        if (cgroup < 0)
                return error_errnof(reterr, cgroup, "cannot open the cgroup of container %s", id);
        return apply(rt, &c, resources, cgroup, reterr);
}
