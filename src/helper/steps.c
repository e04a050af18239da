/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/steps.h"

int step_run(Helper *h, const InitStep *s, Error *e) {
        switch (s->op) {
#define STEP(OP, step, Step, ...) \
        case INIT_##OP:           \
                return step_##step(h, &s->step, e);
#include "plan/init/steps.def"
        default:
                return error_setf(e, EBADMSG, "unknown step %d in the init plan", (int) s->op);
        }
}
