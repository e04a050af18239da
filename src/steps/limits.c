/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "steps/limits.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "basic/file.h"
#include "host/cgroup.h"

/* --- what is in force ------------------------------------------------------------------------------------------- */

static OptU64 parse_limit(const char *text) {
        OptU64 limit = { true, UINT64_MAX };

        if (!startswith(text, "max"))
                limit.set = sscanf(text, "%" SCNu64, &limit.v) == 1;
        return limit;
}

static OptU64 read_limit(int cgroup, const char *file) {
        _cleanup_free_ char *text = NULL;

        if (read_file_at(cgroup, file, LIMITS_FILE_MAX_BYTES, &text, NULL) < 0)
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
        if (read_file_at(cgroup, "cpu.max", LIMITS_FILE_MAX_BYTES, &cpu, NULL) == 0) { /* "QUOTA PERIOD" */
                ret->cpu_quota = parse_limit(cpu);
                ret->cpu_period = parse_limit(cpu + strcspn(cpu, " "));
        }
}

/* --- can a limit be had? ---------------------------------------------------------------------------------------- */

char *limits_controller_of(const char *file) {
        return xasprintf("%.*s", (int) strcspn(file, "."), file);
}

/* One line a device, and one above them. */
static bool host_has_swap(void) {
        _cleanup_free_ char *text = NULL;

        return read_file_at(AT_FDCWD, "/proc/swaps", LIMITS_FILE_MAX_BYTES, &text, NULL) == 0 && strchr(text, '\n') &&
               strchr(text, '\n')[1] != '\0';
}

bool limits_hold_without_file(int cgroup, const char *file) {
        return streq(file, "memory.swap.max") && cgroup_has_file(cgroup, "memory.max") && !host_has_swap();
}

static bool is_visible(int cgroup, const char *file) {
        return cgroup_has_file(cgroup, file) ||
               (streq(file, "io.weight") && cgroup_has_file(cgroup, "io.bfq.weight")) ||
               limits_hold_without_file(cgroup, file);
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
        _cleanup_free_ char *controller = file ? limits_controller_of(file) : NULL;

        return !controller || cgroup_has_controller(cgroup, controller) ? 0 : unavailable(p, controller, user, reterr);
}

int limits_check(const UnitProp *p, int cgroup, bool user, Error *reterr) {
        const char *file = unit_prop_file(p);
        _cleanup_free_ char *controller = NULL;

        if (is_visible(cgroup, file))
                return 0;
        if (!cgroup_has_file(cgroup, "cgroup.procs"))
                return error_setf(reterr, ESRCH, "%s: container not running", p->path);
        controller = limits_controller_of(file);
        return cgroup_has_controller(cgroup, controller)
                       ? error_setf(reterr, EOPNOTSUPP, "%s: this kernel has no %s", p->path, file)
                       : unavailable(p, controller, user, reterr);
}
