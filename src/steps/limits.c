/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "steps/limits.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "host/cgroup.h"
#include "host/device-filter.h"

#define FILE_MAX_BYTES 65536U
#define BLOCK_PATH "/dev/block/"

/* --- what is in force ------------------------------------------------------------------------------------------- */

static OptU64 parse_limit(const char *text) {
        OptU64 limit = { true, UINT64_MAX };

        if (!startswith(text, "max"))
                limit.set = sscanf(text, "%" SCNu64, &limit.v) == 1;
        return limit;
}

static OptU64 read_limit(int cgroup, const char *file) {
        _cleanup_free_ char *text = NULL;

        if (read_file_at(cgroup, file, FILE_MAX_BYTES, &text, NULL) < 0)
                return (OptU64){};
        return parse_limit(text);
}

void limits_read(int cgroup, LimitsNow *ret) {
        _cleanup_free_ char *cpu = NULL;
        OptU64 oom_group = read_limit(cgroup, "memory.oom.group");

        *ret = (LimitsNow){
                .memory_max = read_limit(cgroup, "memory.max"),
                .swap_max = read_limit(cgroup, "memory.swap.max"),
                .memory_current = read_limit(cgroup, "memory.current"),
                .swap_current = read_limit(cgroup, "memory.swap.current"),
                .cpu_burst = read_limit(cgroup, "cpu.max.burst"),
                .cpu_idle = read_limit(cgroup, "cpu.idle").v == 1,
                .frozen = cgroup_is_frozen(cgroup),
                .oom_group = { oom_group.set, oom_group.v == 1 },
        };
        if (read_file_at(cgroup, "cpu.max", FILE_MAX_BYTES, &cpu, NULL) == 0) { /* "QUOTA PERIOD" */
                ret->cpu_quota = parse_limit(cpu);
                ret->cpu_period = parse_limit(cpu + strcspn(cpu, " "));
        }
}

/* --- are the properties in force? ------------------------------------------------------------------------------- */

static char *controller_of(const char *file) {
        return xasprintf("%.*s", (int) strcspn(file, "."), file);
}

/* One line a device, and one above them. */
static bool host_has_swap(void) {
        _cleanup_free_ char *text = NULL;

        return read_file_at(AT_FDCWD, "/proc/swaps", FILE_MAX_BYTES, &text, NULL) == 0 && strchr(text, '\n') &&
               strchr(text, '\n')[1] != '\0';
}

static bool holds_without_file(int cgroup, const char *file) {
        return streq(file, "memory.swap.max") && cgroup_has_file(cgroup, "memory.max") && !host_has_swap();
}

static bool is_visible(int cgroup, const char *file) {
        return cgroup_has_file(cgroup, file) || (streq(file, "io.weight") && cgroup_has_file(cgroup, "io.bfq.weight")) ||
               holds_without_file(cgroup, file);
}

static int unavailable(const UnitProp *p, const char *controller, bool user, Error *reterr) {
        if (user)
                return error_setf(reterr, EOPNOTSUPP, "%s: cgroup controller %s is not delegated to the user's systemd (a "
                                  "drop-in for user@.service with \"Delegate=cpu cpuset io memory pids\" in [Service] "
                                  "delegates what systemd can)", p->path, controller);
        return error_setf(reterr, EOPNOTSUPP, "%s: cgroup controller %s is not available", p->path, controller);
}

int limits_check_controller(const UnitProp *p, int cgroup, bool user, Error *reterr) {
        const char *file = unit_prop_file(p);
        _cleanup_free_ char *controller = file ? controller_of(file) : NULL;

        return !controller || cgroup_has_controller(cgroup, controller) ? 0 : unavailable(p, controller, user, reterr);
}

int limits_check(const UnitPlan *plan, int cgroup, bool user, Error *reterr) {
        for (size_t i = 0; i < plan->n_props; i++) {
                const char *file = unit_prop_file(&plan->props[i]), *path = plan->props[i].path;
                _cleanup_free_ char *controller = NULL;

                if (!file || is_visible(cgroup, file))
                        continue;
                if (!cgroup_has_file(cgroup, "cgroup.procs"))
                        return error_setf(reterr, ESRCH, "%s: container not running", path);
                controller = controller_of(file);
                return cgroup_has_controller(cgroup, controller)
                        ? error_setf(reterr, EOPNOTSUPP, "%s: this kernel has no %s", path, file)
                        : unavailable(&plan->props[i], controller, user, reterr);
        }
        return 0;
}

/* A line about the device in one of the files? */
static bool knows_device(int cgroup, const char *file, const char *device) {
        _cleanup_free_ char *text = NULL;
        size_t n = strlen(device);

        if (read_file_at(cgroup, file, FILE_MAX_BYTES, &text, NULL) < 0)
                return false;
        for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
                if (strncmp(line, device, n) == 0 && line[n] == ' ')
                        return true;
        return false;
}

/* Asked after it was named to Linux, which has loaded the driver then. */
static bool has_device(const char *device) {
        _cleanup_free_ char *path = xasprintf("/sys/dev/block/%s", device);

        return access(path, F_OK) == 0;
}

static int verify_devices(const UnitProp *p, int cgroup, Error *reterr) {
        const char *file = unit_prop_file(p);

        for (size_t i = 0; i < p->v.weights.n; i++) {
                const char *device = startswith(p->v.weights.items[i].path, BLOCK_PATH);

                if (p->v.weights.items[i].value == UINT64_MAX || knows_device(cgroup, file, device) ||
                    (streq(file, "io.weight") && knows_device(cgroup, "io.bfq.weight", device)))
                        continue;
                return has_device(device)
                        ? error_setf(reterr, EOPNOTSUPP, "%s: Linux does not take it for device %s (%s)", p->path, device, file)
                        : error_setf(reterr, EINVAL, "%s: there is no block device %s", p->path, device);
        }
        return 0;
}

static int verify_set(const UnitProp *p, int cgroup, Error *reterr) {
        _cleanup_free_ char *found = NULL;
        _cleanup_text_ Text wanted = {};

        unit_prop_print_mask(p, &wanted);
        text_add(&wanted, "\n");
        if (read_file_at(cgroup, unit_prop_file(p), FILE_MAX_BYTES, &found, NULL) == 0 && streq(found, wanted.s))
                return 0;
        return error_setf(reterr, EOPNOTSUPP, "%s: Linux does not take %.*s here", p->path, (int) wanted.n - 1, wanted.s);
}

int limits_verify(const UnitPlan *plan, int cgroup, Error *reterr) {
        int r = 0;

        for (size_t i = 0; i < plan->n_props && r == 0; i++)
                if (unit_prop_file(&plan->props[i]))
                        r = plan->props[i].type == UNIT_WEIGHTS ? verify_devices(&plan->props[i], cgroup, reterr)
                                : plan->props[i].type == UNIT_BYTES ? verify_set(&plan->props[i], cgroup, reterr) : 0;
        return r;
}

/* --- files ------------------------------------------------------------------------------------------------------ */

/* A partition of CPUs that cannot be is no error for the kernel, which writes so into the file. */
static int check_partition(const CgroupWrite *w, int cgroup, Error *reterr) {
        _cleanup_free_ char *text = NULL;

        if (!streq(w->file, "cpuset.cpus.partition") || read_file_at(cgroup, w->file, FILE_MAX_BYTES, &text, NULL) < 0 ||
            !strstr(text, "invalid"))
                return 0;
        text[strcspn(text, "\n")] = '\0';
        return error_setf(reterr, EOPNOTSUPP, "%s: Linux makes \"%s\" of it", w->path, text);
}

static int write_file(int cgroup, const CgroupWrite *w) {
        return cgroup_has_file(cgroup, w->file) ? write_kernel_file(cgroup, w->file, w->value) : -ENOENT;
}

int limits_write(const CgroupWrite *w, int cgroup, const char *path, Error *reterr) {
        int r = write_file(cgroup, w);

        if (r == -ENOENT) {
                _cleanup_free_ char *controller = controller_of(w->file);

                if (!streq(controller, "cgroup") && !cgroup_has_controller(cgroup, controller)) {
                        r = cgroup_enable_controller(path, controller, reterr);
                        if (r < 0)
                                return error_prefixf(reterr, "%s", w->path);
                }
                r = write_file(cgroup, w);
        }
        if (r == 0)
                return check_partition(w, cgroup, reterr);
        if (r == -ENOENT)
                return w->optional || holds_without_file(cgroup, w->file)
                        ? 0 : error_setf(reterr, EOPNOTSUPP, "%s: this kernel has no %s", w->path, w->file);
        if (r == -EACCES)
                return error_setf(reterr, EINVAL, "%s: %s cannot be set", w->path, w->file);
        return error_errnof(reterr, r, "%s: cannot write \"%s\" to %s of the container's cgroup", w->path, w->value,
                            w->file);
}

int limits_complete(const Manager *m, bool user, const UnitPlan *plan, int cgroup, const char *path, Error *reterr) {
        _cleanup_close_ int filter = -EBADF;
        int r;

        r = limits_check(plan, cgroup, user, reterr);
        if (r == 0)
                r = limits_verify(plan, cgroup, reterr);
        if (r == 0 && plan->n_rules > 0)
                r = filter = device_filter_load(plan, reterr);
        if (r < 0)
                return r;
        r = device_filter_replace(cgroup, -EBADF, filter);
        if (r < 0)
                return error_errnof(reterr, r, "%s: cannot filter devices", plan->rules_path);
        for (size_t i = 0; i < plan->n_writes && r == 0; i++)
                if (!plan->writes[i].instead_of || manager_dropped(m, plan->writes[i].instead_of))
                        r = limits_write(&plan->writes[i], cgroup, path, reterr);
        return r;
}
