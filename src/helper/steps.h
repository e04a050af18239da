/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "helper/helper.h"

/* step_mask(h, s, e) and the like do what plan/init/steps.def says. 0, or a negative errno with the error set. */
#define STEP(OP, step, Step, ...) int step_##step(Helper *h, const Init##Step *s, Error *e);
#include "plan/init/steps.def"

/* The one of those that the step is. */
int step_run(Helper *h, const InitStep *s, Error *e);

/* After INIT_DETACH: the terminal is that of the container's devpts, and not of a mount that is gone. */
void console_reopen(Helper *h);
