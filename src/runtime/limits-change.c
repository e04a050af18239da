/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* New limits for a unit that runs, all or nothing: files with their old contents kept, properties with their old values,
 * and the filter of devices. */
#include <errno.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "host/device-filter.h"
#include "steps/limits.h"

#define FILE_MAX_BYTES 65536U

typedef struct Change {
        const UnitPlan *plan;
        const Record *record;
        const Caller *caller;
        int cgroup;
        Manager **manager;              /* *manager: NULL until it is needed */
        bool set;                       /* the properties */
        char **before;                  /* by index into the plan's writes: what was in the file; NULL: not written */
        bool *late;                     /* by the same: only after the properties */
        int old_filter, new_filter;
        bool filtered;                  /* the new filter is in place of the old */
} Change;

static void change_done(Change *c) {
        for (size_t i = 0; i < c->plan->n_writes; i++)
                free(c->before[i]);
        free(c->before);
        free(c->late);
        c->old_filter = close_fd(c->old_filter);
        c->new_filter = close_fd(c->new_filter);
}

static int write_with_undo(Change *c, size_t i, Error *reterr) {
        _cleanup_free_ char *before = NULL;
        int r;

        if (read_file_at(c->cgroup, c->plan->writes[i].file, FILE_MAX_BYTES, &before, NULL) < 0)
                before = xstrdup(""); /* there is none yet, or it is not for reading */
        r = limits_write(&c->plan->writes[i], c->cgroup, c->record->cgroup, reterr);
        if (r == 0)
                c->before[i] = TAKE_PTR(before);
        return r;
}

/* A burst above the quota in force is refused; below the new one it is not. */
static bool has_to_wait(const Change *c, size_t i, const LimitsNow *now) {
        const CgroupWrite *w = &c->plan->writes[i];

        return w->instead_of || (streq(w->file, "cpu.max.burst") && strtoull(w->value, NULL, 10) > now->cpu_quota.v);
}

static int write_early(Change *c, const LimitsNow *now, Error *reterr) {
        int r = 0;

        for (size_t i = 0; i < c->plan->n_writes && r == 0; i++) {
                c->late[i] = has_to_wait(c, i, now);
                if (!c->late[i])
                        r = write_with_undo(c, i, reterr);
        }
        return r;
}

static int write_late(Change *c, Error *reterr) {
        int r = 0;

        for (size_t i = 0; i < c->plan->n_writes && r == 0; i++)
                if (c->late[i] && (!c->plan->writes[i].instead_of ||
                                   manager_dropped(*c->manager, c->plan->writes[i].instead_of)))
                        r = write_with_undo(c, i, reterr);
        return r;
}

/* Before systemd's set of devices, so that nothing is allowed at any time that neither the old nor the new list allows;
 * one that goes away goes after it. */
static int replace_filter(Change *c, bool early, Error *reterr) {
        int r;

        if (!c->plan->sets_devices || early != (c->new_filter >= 0))
                return 0;
        r = device_filter_replace(c->cgroup, c->old_filter, c->new_filter);
        if (r < 0)
                return error_errnof(reterr, r, "linux.resources.devices: cannot replace the filter of devices");
        c->filtered = true;
        return 0;
}

static int find_filter(Change *c, Error *reterr) {
        int r;

        if (!c->plan->sets_devices)
                return 0;
        r = c->old_filter = device_filter_find(c->cgroup);
        /* Where there is no BPF there is none of ours. */
        if (r < 0 && r != -ENOENT && c->plan->n_rules > 0)
                return error_errnof(reterr, r, "%s: cannot filter devices", c->plan->rules_path);
        if (c->plan->n_rules > 0)
                c->new_filter = device_filter_load(c->plan, reterr);
        return c->plan->n_rules > 0 && c->new_filter < 0 ? c->new_filter : 0;
}

/* Is there something that can fail once the properties are set? */
static bool may_fail_late(const UnitPlan *plan) {
        bool may = plan->n_writes > 0 || plan->sets_devices;

        for (size_t i = 0; i < plan->n_props; i++)
                may = may || plan->props[i].type == UNIT_BYTES || plan->props[i].type == UNIT_WEIGHTS;
        return may;
}

static int set_properties(Change *c, Error *reterr) {
        int r;

        if (c->plan->n_props == 0)
                return 0;
        r = *c->manager ? 0 : manager_open(c->caller, c->record->user_manager, c->manager, reterr);
        if (r == 0 && may_fail_late(c->plan))
                r = manager_save_properties(*c->manager, record_unit(c->record), c->plan, reterr);
        if (r == 0)
                r = manager_set_properties(*c->manager, record_unit(c->record), c->plan, reterr);
        c->set = r == 0;
        return r;
}

/* Line by line, as the kernel wants it. */
static void restore_files(const Change *c, bool late) {
        for (size_t i = c->plan->n_writes; i-- > 0;) {
                char *save = NULL;

                if (!c->before[i] || c->late[i] != late)
                        continue;
                for (char *line = strtok_r(c->before[i], "\n", &save); line; line = strtok_r(NULL, "\n", &save))
                        (void) write_kernel_file(c->cgroup, c->plan->writes[i].file, line);
        }
}

/* In the opposite order. */
static void undo(Change *c) {
        if (c->filtered && c->new_filter < 0)
                (void) device_filter_replace(c->cgroup, -EBADF, c->old_filter);
        restore_files(c, true);
        if (c->set)
                (void) manager_restore_properties(*c->manager, record_unit(c->record), NULL);
        if (c->filtered && c->new_filter >= 0)
                (void) device_filter_replace(c->cgroup, c->new_filter, c->old_filter);
        restore_files(c, false);
}

int limits_change(const Container *container, const UnitPlan *plan, const LimitsNow *now, int cgroup, Manager **m,
                  Error *reterr) {
        _cleanup_(change_done) Change c = {
                .plan = plan, .record = &container->record, .caller = container->caller, .cgroup = cgroup, .manager = m,
                .before = xmalloc0((plan->n_writes + 1) * sizeof(char *)),
                .late = xmalloc0((plan->n_writes + 1) * sizeof(bool)),
                .old_filter = -EBADF, .new_filter = -EBADF,
        };
        int r;

        r = limits_check(plan, cgroup, container->record.user_manager, reterr);
        if (r == 0)
                r = find_filter(&c, reterr);
        if (r == 0)
                r = write_early(&c, now, reterr);
        if (r == 0)
                r = replace_filter(&c, true, reterr);
        if (r == 0)
                r = set_properties(&c, reterr);
        if (r == 0)
                r = write_late(&c, reterr);
        if (r == 0)
                r = replace_filter(&c, false, reterr);
        if (r == 0)
                r = limits_verify(plan, cgroup, reterr);
        if (r < 0)
                undo(&c);
        return r;
}
