/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "steps/steps.h"

#include "basic/fd.h"

const StepKind *const step_kinds[_LAUNCH_OP_MAX] = {
#define STEP(OP, step, ...) [LAUNCH_##OP] = &step_##step,
#include "plan/launch/steps.def"
};

void step_context_done(StepContext *c) {
        launch_done(&c->launch);
        notify_done(&c->notify);
        netdevices_done(&c->net_devices);
        c->filter = close_fd(c->filter);
        c->received = close_fd(c->received);
        c->resctrl = close_fd(c->resctrl);
        c->rootfs = close_fd(c->rootfs);
        c->console = close_fd(c->console);
        c->listener = close_fd(c->listener);
        scope_done(&c->scope);
        unit_properties_done(&c->properties);
        c->manager = manager_close(c->manager);
}

int step_manager(StepContext *c, Manager **ret, Error *reterr) {
        int r = c->manager ? 0 : manager_open(&c->rt->caller, c->container->record.user_manager, &c->manager, reterr);

        *ret = c->manager;
        return r;
}
