/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "steps/operation.h"

#include <assert.h>
#include <errno.h>

#include "basic/log.h"
#include "basic/loop.h"

struct Begun {
        const LaunchStep *step;
        void *kept;
};

void operation_done(Operation *o) {
        for (size_t i = 0; i < o->n_begun; i++)
                free(o->begun[i].kept);
        free(o->begun);
        o->begun = NULL;
        o->n_begun = 0;
}

static int run_step(Operation *o, const LaunchStep *step, Error *reterr) {
        const StepKind *kind = o->kinds[step->op];

        assert(kind && kind->run);
        GREW(o->begun, o->n_begun);
        o->begun[o->n_begun] = (struct Begun){ .step = step };
        log_debug("step %s", launch_op_name(step->op));
        return kind->run(o->context, step, &o->begun[o->n_begun++].kept, reterr);
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
                const struct Begun begun = o->begun[--o->n_begun];
                const StepKind *kind = o->kinds[begun.step->op];

                if (kind->undo) {
                        log_debug("step %s: undone", launch_op_name(begun.step->op));
                        kind->undo(o->context, begun.step, begun.kept);
                }
                free(begun.kept);
        }
        (void) loop_interrupt(interrupt);
}

bool operation_has_begun(const Operation *o, LaunchOp op) {
        for (size_t i = 0; i < o->n_begun; i++)
                if (o->begun[i].step->op == op)
                        return true;
        return false;
}
