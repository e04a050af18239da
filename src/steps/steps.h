/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/caller.h"
#include "host/manager.h"
#include "host/store.h"
#include "steps/operation.h"

/* What each step of plan/launch/steps.def does, one file a step. They share: */
typedef struct StepContext {
        const Runtime *rt;
        Container *container;
        Manager *manager;       /* opened when it is first needed; the context's */
        int interrupt;          /* of hooks (loop_interrupt()), where nothing else is interrupted */
        int cgroup;             /* the container's */
        int filter;             /* of devices, our own one that was there before; the context's */
} StepContext;

/* The connection to the container's systemd. */
int step_manager(StepContext *c, Manager **ret, Error *reterr);

#define STEP(OP, step, ...) extern const StepKind step_##step;
#include "plan/launch/steps.def"
extern const StepKind *const step_kinds[_LAUNCH_OP_MAX];
