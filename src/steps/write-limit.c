/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "basic/file.h"
#include "host/cgroup.h"
#include "steps/limits.h"
#include "steps/steps.h"

static int save(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        const StepContext *c = context;
        char *before;

        /* Else there is none yet, or it is not for reading. */
        if (read_file_at(c->cgroup, step->save_limit.file, LIMITS_FILE_MAX_BYTES, &before, NULL) == 0)
                *kept = before;
        return 0;
}

/* Line by line, as the kernel wants it. */
static void write_back(void *context, const LaunchStep *step, void *kept) {
        const StepContext *c = context;
        char *rest = NULL;

        for (char *line = kept ? strtok_r(kept, "\n", &rest) : NULL; line; line = strtok_r(NULL, "\n", &rest))
                (void) write_kernel_file(c->cgroup, step->save_limit.file, line);
}

const StepKind step_save_limit = { save, write_back };

static int write_file(int cgroup, const CgroupWrite *w) {
        return cgroup_has_file(cgroup, w->file) ? write_kernel_file(cgroup, w->file, w->value) : -ENOENT;
}

static int write_limit(const CgroupWrite *w, int cgroup, const char *path, Error *reterr) {
        int r = write_file(cgroup, w);

        if (r == -ENOENT) {
                _cleanup_free_ char *controller = limits_controller_of(w->file);

                if (!streq(controller, "cgroup") && !cgroup_has_controller(cgroup, controller)) {
                        r = cgroup_enable_controller(path, controller, reterr);
                        if (r < 0)
                                return error_prefixf(reterr, "%s", w->path);
                }
                r = write_file(cgroup, w);
        }
        if (r == -ENOENT)
                return w->optional || limits_hold_without_file(cgroup, w->file)
                               ? 0
                               : error_setf(reterr, EOPNOTSUPP, "%s: this kernel has no %s", w->path, w->file);
        if (r == -EACCES)
                return error_setf(reterr, EINVAL, "%s: %s cannot be set", w->path, w->file);
        return r < 0 ? error_errnof(reterr, r, "%s: cannot write \"%s\" to %s of the container's cgroup", w->path,
                                    w->value, w->file)
                     : 0;
}

static int run(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        const CgroupWrite *w = step->write_limit.limit;
        const StepContext *c = context;

        return w->instead_of && !unit_properties_dropped(&c->properties, w->instead_of)
                       ? 0
                       : write_limit(w, c->cgroup, c->container->record.cgroup, reterr);
}

const StepKind step_write_limit = { .run = run };
