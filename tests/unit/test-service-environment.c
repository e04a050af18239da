/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/str.h"
#include "plan/service-environment.h"
#include "test.h"

#define LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void test_selection(void) {
        _cleanup_(arena_done) Arena a = {};
        const ServiceVariables v = {
                .all = LIST("PATH=/bin", "LANG=C", "ONE=1", "FILE=f", "NOTIFY_SOCKET=/run/x", "HOME=/root", "USER=me", "TWO=a=b",
                            "INVOCATION_ID=12", "PASSED=1", "NOTHING", "=x"),
                .unit = LIST("ONE=1", "USER=me", "HOME=/other", "LANG=C", "NOTIFY_SOCKET=/mine"),
                .passed = LIST("PASSED"),
                .manager = LIST("PATH=/bin", "LANG=C", "PASSED=1", "TWO=a"),
        };
        const char *expected[] = { "LANG=C", "ONE=1", "FILE=f", "USER=me", "TWO=a=b", "PASSED=1" };
        const char **got = service_environment_select(&a, &v);

        TEST("what the unit has set, and nothing of systemd's own");
        for (size_t i = 0; i < ELEMENTSOF(expected); i++)
                ASSERT(streq_null(got[i], expected[i]));
        ASSERT(!got[ELEMENTSOF(expected)]);
}

static void test_none(void) {
        _cleanup_(arena_done) Arena a = {};
        const ServiceVariables v = { .all = LIST("PATH=/bin"), .unit = LIST(NULL), .passed = LIST(NULL), .manager = LIST("PATH=/bin") };

        TEST("none");
        ASSERT(!service_environment_select(&a, &v));
}

int main(void) {
        test_selection();
        test_none();
        return 0;
}
