/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "steps/steps.h"

static int run(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        const StepContext *c = context;
        bool made;
        int r = resctrl_make(c->resctrl, c->rdt, &made, reterr); /* or leaves nothing */

        if (r == 0)
                *(bool *) (*kept = xmalloc0(sizeof(bool))) = made;
        return r;
}

/* A group that others may be in by now is theirs. */
static void undo(void *context, const LaunchStep *step, void *kept) {
        const LaunchMakeRdt *s = &step->make_rdt;
        const StepContext *c = context;
        const bool *made = kept;

        if (made && s->monitor)
                (void) resctrl_remove_monitor(c->resctrl, s->group, s->monitor, NULL);
        if (made && *made)
                resctrl_remove_empty(c->resctrl, s->group);
}

const StepKind step_make_rdt = { run, undo };

static int join(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        const LaunchJoinRdt *s = &step->join_rdt;
        const StepContext *c = context;

        return resctrl_assign(c->resctrl, s->group, s->monitor, c->launch.pid, reterr);
}

const StepKind step_join_rdt = { .run = join };
