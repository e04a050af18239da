/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "steps/steps.h"

const StepKind *const step_kinds[_LAUNCH_OP_MAX] = {
#define STEP(OP, step, ...) [LAUNCH_##OP] = &step_##step,
#include "plan/launch/steps.def"
};

int step_manager(StepContext *c, Manager **ret, Error *reterr) {
        int r = c->manager ? 0 : manager_open(&c->rt->caller, c->container->record.user_manager, &c->manager, reterr);

        *ret = c->manager;
        return r;
}
