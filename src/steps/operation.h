/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/launch/plan.h"

/*
 * What a launch plan says is done, one step after the other; when one fails, all that was begun is undone, in reverse order.
 * Where a step waits (basic/loop.h) other operations go on, in a service; nothing interrupts what undoes.
 */
typedef struct StepKind {
        /* 0, or -errno with the sentence in reterr. What it has half done then undo() takes back. *kept is NULL; what it
         * sets there is for undo() alone, and freed after that. */
        int (*run)(void *context, const LaunchStep *step, void **kept, Error *reterr);
        /* Whatever of it has come about, once; NULL: there is nothing to take back. */
        void (*undo)(void *context, const LaunchStep *step, void *kept);
} StepKind;

typedef struct Operation {
        const StepKind *const *kinds;  /* by LaunchOp */
        void *context;                 /* of the steps */
        void (*failed)(void *context, const Error *error); /* before anything is undone; or NULL */
        const LaunchPlan *plan;        /* that is run */
        struct Begun *begun;
        size_t n_begun, n_undone;      /* of those the last */
} Operation;

void operation_done(Operation *o);
#define _cleanup_operation_ _cleanup_(operation_done)

/* Does the steps of the plan, which stays the caller's. On failure everything has been undone. */
int operation_run(Operation *o, const LaunchPlan *plan, Error *reterr);
/* The same for a plan that has been run, when what follows fails. */
void operation_undo(Operation *o);
/* For a step that hears the helper: does what the plan has for a message of it (InitMessageType). */
int operation_answer(Operation *o, unsigned message, Error *reterr);
/* Has a step of this kind been begun? */
bool operation_has_begun(const Operation *o, LaunchOp op);
