/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "steps/operation.h"

#include <assert.h>
#include <errno.h>

#include "basic/log.h"
#include "basic/loop.h"

struct Begun {
        const LaunchStep *step;
};

void operation_done(Operation *o) {
        free(o->begun);
        o->begun = NULL;
        o->n_begun = 0;
}

static int run_step(Operation *o, const LaunchStep *step, Error *reterr) {
        const StepKind *kind = o->kinds[step->op];

        assert(kind && kind->run);
        GREW(o->begun, o->n_begun);
        o->begun[o->n_begun++].step = step;
        log_debug("step %s", launch_op_name(step->op));
        return kind->run(o->context, step, reterr);
}

int operation_run(Operation *o, const LaunchPlan *plan, Error *reterr) {
        int r = 0;

        for (size_t i = 0; i < plan->n_steps && r >= 0; i++)
                r = run_step(o, &plan->steps[i], reterr);
        if (r < 0)
                operation_undo(o);
        return MIN(r, 0);
}

void operation_undo(Operation *o) {
        int interrupt = loop_interrupt(-EBADF);

        while (o->n_begun > 0) {
                const LaunchStep *step = o->begun[--o->n_begun].step;

                if (!o->kinds[step->op]->undo)
                        continue;
                log_debug("step %s: undone", launch_op_name(step->op));
                o->kinds[step->op]->undo(o->context, step);
        }
        (void) loop_interrupt(interrupt);
}

bool operation_has_begun(const Operation *o, LaunchOp op) {
        for (size_t i = 0; i < o->n_begun; i++)
                if (o->begun[i].step->op == op)
                        return true;
        return false;
}
