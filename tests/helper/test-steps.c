/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/test.h"
#include "launch.h"

static const char *rootfs;

static void test_plain(void) {
        InitPlan p = {};
        static Launch l;

        TEST("a plain container");
        plan_plain(&p, rootfs, "echo pid $$; ls /; stat -c '%n %F %t:%T %a' /dev/null; readlink /dev/fd; echo home $HOME; ls /proc/self/fd");
        launch(&p, &l);
        fprintf(stderr, "%s", l.output);
        ASSERT_STR(l.error, "");
        ASSERT_EQ(l.status, 0);
}

int main(void) {
        sandbox_enter();
        rootfs = sandbox_rootfs("rootfs");
        test_plain();
        return 0;
}
