/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/file.h"
#include "steps/limits.h"
#include "steps/steps.h"

#define FILE_MAX_BYTES 65536U

static int run(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        const CgroupWrite *w = step->write_limit.limit;
        const StepContext *c = context;
        char *before;

        if (w->instead_of && !manager_dropped(c->manager, w->instead_of))
                return 0;
        /* Else there is none yet, or it is not for reading. */
        if (read_file_at(c->cgroup, w->file, FILE_MAX_BYTES, &before, NULL) == 0)
                *kept = before;
        return limits_write(w, c->cgroup, c->container->record.cgroup, reterr);
}

/* Line by line, as the kernel wants it. */
static void undo(void *context, const LaunchStep *step, void *kept) {
        const StepContext *c = context;
        char *save = NULL;

        for (char *line = kept ? strtok_r(kept, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save))
                (void) write_kernel_file(c->cgroup, step->write_limit.limit->file, line);
}

const StepKind step_write_limit = { .run = run, .undo = undo };
