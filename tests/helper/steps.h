/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sched.h>
#include <sys/mount.h>

#include "../unit/test.h"
#include "launch.h"

/* What each step does, seen from inside a container. */

#define NAMESPACES (CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET)
#define ATTRS (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

static const char *rootfs;
static Launch l;

static void reset(void) {
        l = (Launch){};
}

/* The container ended well and printed this. */
#define EXPECT(text)                                                                                        \
        do {                                                                                                \
                ASSERT_STR(l.error, "");                                                                    \
                ASSERT_STR(l.output, text);                                                                 \
                ASSERT_EQ(l.status, 0);                                                                     \
        } while (0)

static void begin(InitPlan *p) {
        reset();
        plan_begin(p, rootfs, NAMESPACES);
        plan_mount(p, "proc", "/proc", ATTRS, INIT_NO_TARGET_SYMLINK, NULL);
        plan_dev(p);
}

static void run(InitPlan *p, const char *script) {
        plan_end(p, script);
        launch(p, &l);
}
