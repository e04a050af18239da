/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "fuzz.h"

/* What the helper reads: bytes to an init plan. There is one encoding of each, so a plan that is read is
 * written as it was. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(init_plan_done) InitPlan plan = {};
        _cleanup_text_ Text bytes = {}, printed = {};
        int r = init_plan_decode(data, size, &plan);

        if (r < 0) {
                ASSERT_EQ(r, -EBADMSG);
                ASSERT(!plan.steps);
                return 0;
        }
        for (size_t i = 0; i < plan.n_steps; i++)
                ASSERT(!streq(init_op_name(plan.steps[i].op), "?"));
        init_plan_print(&plan, &printed);
        ASSERT(plan.n_steps == 0 || printed.s[printed.n - 1] == '\n');
        init_plan_encode(&plan, &bytes);
        ASSERT_EQ(bytes.n, size);
        ASSERT(memcmp(bytes.s, data, size) == 0);
        return 0;
}
