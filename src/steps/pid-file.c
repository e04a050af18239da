/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "steps/pid-file.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "steps/steps.h"

/* --pid-file: atomic, decimal, no newline (containerd parses it untrimmed). */
static int run(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        const char *path = step->pid_file.path, *name;
        _cleanup_close_ int dir = open_named_parent(path, &name, reterr);
        const StepContext *c = context;
        char text[16];
        int n = snprintf(text, sizeof(text), "%d", c->launch.pid), r;

        if (dir < 0)
                return error_prefixf(reterr, "cannot write the pid file %s", path);
        r = write_file_atomic_at(dir, name, text, (size_t) n, 0644);
        if (r < 0)
                return error_errnof(reterr, r, "cannot write the pid file %s", path);
        *kept = xstrdup(path);
        return 0;
}

void pid_file_remove(const char *path) {
        const char *name;
        _cleanup_close_ int dir = open_named_parent(path, &name, NULL);

        if (dir >= 0)
                (void) unlinkat(dir, name, 0);
}

static void undo(void *context, const LaunchStep *step, void *kept) {
        if (kept) /* else what is there is somebody's */
                pid_file_remove(kept);
}

const StepKind step_pid_file = { run, undo };
