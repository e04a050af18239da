/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rootfs in a mount namespace that is not the container's alone. */
#include <errno.h>

#include "basic/fd.h"
#include "steps/rootfs.h"
#include "steps/steps.h"

/* It will be mounted where it outlives the container; until then it goes with its last descriptor. */
static int note(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        StepContext *c = context;
        int r = mount_id(c->received, &c->container->record.mount_id);

        if (r < 0)
                return error_errnof(reterr, r, "root.path: cannot tell its mount from others");
        if (step->note_mount.tree)
                c->rootfs = TAKE_FD(c->received);
        r = container_save(c->container, reterr);
        return r < 0 ? r : launch_send(&c->launch, INIT_MSG_NOTED, reterr);
}

const StepKind step_note_mount = { .run = note };

/* The process has given up all that it will not have by now: who is in that mount namespace finds it in the procfs. */
static int attach(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        StepContext *c = context;
        int r = rootfs_attach(c->rt, c->container, c->spec, c->rootfs, reterr);

        c->rootfs = close_fd(c->rootfs);
        return r;
}

const StepKind step_attach_rootfs = { .run = attach };

static int stay(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        return 0;
}

static void leave(void *context, const LaunchStep *step, void *kept) {
        const StepContext *c = context;

        rootfs_unmount(c->rt, c->container);
}

const StepKind step_leave_rootfs = { stay, leave };
