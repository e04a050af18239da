/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "steps/rootfs.h"

#include <errno.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "basic/loop.h"
#include "host/launch.h"
#include "plan/init/build.h"

/* For file systems that may not answer. */
#define UNMOUNT_USEC 2000000

static LaunchRequest request_of(const Runtime *rt, const Container *c, const InitPlan *plan) {
        return (LaunchRequest){ .id = c->id, .mark = container_mark(c), .plan = plan, .target = -EBADF, .root = -EBADF,
                                .cgroup = -EBADF,
                                .stdio = { rt->caller.stdio[0], rt->caller.stdio[1], rt->caller.stdio[2] } };
}

int rootfs_attach(const Runtime *rt, const Container *c, const Spec *spec, int tree, Error *reterr) {
        _cleanup_(init_plan_done) InitPlan plan = {};
        _cleanup_launch_ Launch launch = LAUNCH_NONE;
        LaunchRequest request = request_of(rt, c, &plan);
        InitMessage message;
        int r;

        request.root = tree;
        r = init_plan_build_attach(spec, &rt->facts, c->record.rootfs, &plan, reterr);
        if (r == 0)
                r = launch_spawn(&request, &launch, reterr);
        if (r == 0)
                r = launch_receive(&launch, &message, NULL, reterr);
        launch_kill(&launch);
        if (r >= 0 && r != INIT_MSG_READY)
                return error_setf(reterr, EIO, "root.path: the process that was to mount it ended before");
        return r < 0 ? r : 0;
}

static int unmount(const Runtime *rt, const Container *c, Error *reterr) {
        _cleanup_(init_plan_done) InitPlan plan = {};
        _cleanup_launch_ Launch launch = LAUNCH_NONE;
        LaunchRequest request = request_of(rt, c, &plan);
        const Spec spec = record_spec(&c->record);
        InitMessage message;
        int r;

        r = init_plan_build_unmount(&spec, &rt->facts, c->record.rootfs, c->record.mount_id, &plan, reterr);
        if (r == 0)
                r = launch_spawn(&request, &launch, reterr);
        if (r == 0 && loop_wait_fd(launch.control, POLLIN, now_usec() + UNMOUNT_USEC) <= 0)
                r = error_setf(reterr, ETIMEDOUT, "%s cannot be unmounted", c->record.rootfs);
        if (r == 0)
                r = launch_receive(&launch, &message, NULL, reterr);
        launch_kill(&launch);
        return r;
}

void rootfs_unmount(const Runtime *rt, const Container *c) {
        _cleanup_error_ Error error = {};
        int r;

        if (c->record.mount_id == 0)
                return;
        r = unmount(rt, c, &error);
        if (r < 0 && r != -ENOENT && r != -EINVAL) /* the namespace is gone, or another is at that path now */
                log_message(LOG_WARNING, "%s", error.message);
}
