/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <unistd.h>

#include "basic/fd.h"
#include "host/cgroup.h"
#include "steps/steps.h"

static int run(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        const char *name;
        _cleanup_close_ int parent = cgroup_open_parent(step->remove_empty.path, &name);

        if (parent >= 0)
                (void) unlinkat(parent, name, AT_REMOVEDIR);
        return 0;
}

const StepKind step_remove_empty = { .run = run };
