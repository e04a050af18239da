/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/init/plan.h"

void init_plan_done(InitPlan *plan) {
        free(plan->steps);
        arena_done(&plan->arena);
        *plan = (InitPlan){};
}

InitStep *init_plan_add(InitPlan *plan, InitOp op, const char *origin) {
        InitStep *step;

        GREW(plan->steps, plan->n_steps);
        step = &plan->steps[plan->n_steps++];
        memset(step, 0, sizeof(*step));
        step->op = op;
        step->origin = origin;
        return step;
}

bool init_plan_comes_to(const InitPlan *plan, InitOp op, InitOp before) {
        for (size_t i = 0; i < plan->n_steps && plan->steps[i].op != before; i++)
                if (plan->steps[i].op == op)
                        return true;
        return false;
}
