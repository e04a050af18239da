/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/str.h"
#include "steps/notify.h"
#include "steps/steps.h"

/* The process waits until this is done: whatever becomes of it then, systemd knows whose end that is. And if it ever comes to
 * reach systemd's socket it has nothing to say there (NOTIFYACCESS=, systemd 254). */
static int run(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        const StepContext *c = context;
        _cleanup_free_ char *text = xasprintf("MAINPID=%d\nREADY=1\nNOTIFYACCESS=none", c->launch.pid);

        return notify_tell(&c->rt->caller, text, reterr);
}

const StepKind step_entrust = { .run = run };
