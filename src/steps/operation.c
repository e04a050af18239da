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
        o->n_begun = o->n_undone = 0;
}

static int run_step(Operation *o, const LaunchStep *step, Error *reterr) {
        const StepKind *kind = o->kinds[step->op];
        size_t i = o->n_begun;
        void *kept = NULL;
        int r;

        assert(kind && kind->run);
        GREW(o->begun, o->n_begun);
        o->begun[o->n_begun++] = (struct Begun){ .step = step };
        log_debug("step %s", launch_op_name(step->op));
        r = kind->run(o->context, step, &kept, reterr); /* may run others, which are begun after it */
        o->begun[i].kept = kept;
        return r;
}

/* Those of the plan that answer this, 0: those that nothing calls for. */
static int run_steps(Operation *o, unsigned answers, Error *reterr) {
        int r = 0;

        for (size_t i = 0; i < o->plan->n_steps && r >= 0; i++)
                if (o->plan->steps[i].answers == answers)
                        r = run_step(o, &o->plan->steps[i], reterr);
        return MIN(r, 0);
}

int operation_run(Operation *o, const LaunchPlan *plan, Error *reterr) {
        int r;

        o->plan = plan;
        r = run_steps(o, 0, reterr);
        if (r < 0 && o->failed)
                o->failed(o->context, reterr);
        if (r < 0)
                operation_undo(o);
        return r;
}

int operation_answer(Operation *o, unsigned message, Error *reterr) {
        return run_steps(o, message, reterr);
}

void operation_undo(Operation *o) {
        int interrupt = loop_interrupt(-EBADF);

        for (; o->n_undone < o->n_begun; o->n_undone++) {
                const struct Begun *begun = &o->begun[o->n_begun - 1 - o->n_undone];
                const StepKind *kind = o->kinds[begun->step->op];

                if (!kind->undo)
                        continue;
                log_debug("step %s: undone", launch_op_name(begun->step->op));
                kind->undo(o->context, begun->step, begun->kept);
        }
        (void) loop_interrupt(interrupt);
}

bool operation_has_begun(const Operation *o, LaunchOp op) {
        for (size_t i = 0; i < o->n_begun; i++)
                if (o->begun[i].step->op == op)
                        return true;
        return false;
}
