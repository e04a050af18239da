/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/facts.h"
#include "plan/init/plan.h"

/*
 * Spec to init plan: what the helper does to make the container's init. Pure. The strings point into spec and
 * request, which must outlive the plan.
 *   -EOPNOTSUPP, -EINVAL: the configuration asks for what cannot be done; the error names the JSON path
 */
int init_plan_build(const Spec *spec, const Request *request, const HostFacts *facts, InitPlan *ret, Error *reterr);

/* Is the container's root that of its mount namespace? Otherwise who enters the namespace has to change its root to
 * it: the plan of exec wants it as INIT_FD_ROOT. */
bool init_plan_has_own_root(const Spec *spec);

/* The same as init_plan_build() for a further process in a container that runs (exec). namespaces: CLONE_NEW* that the
 * container has of its own or joined; seccomp as in Request. The helper waits for INIT_MSG_CGROUP first of all, so that
 * what it forks is in the container's cgroup too. */
typedef struct ExecRequest {
        const SpecProcess *process;
        int namespaces;
        const char *keyring;          /* the container's; NULL: it gets one of its own */
        uint32_t preserve_fds, listen_fds; /* as in Request */
        const char *listen_fd_names;
        CallerStdio stdio;
        bool launcher_stays;
        bool waits;                   /* for the launcher, who has to do something to the process before it runs */
        bool journal;                 /* the container's first process has sockets of the journal (--supervise) */
        const void *seccomp;
        size_t seccomp_size;
} ExecRequest;
int init_plan_build_exec(const Spec *spec, const ExecRequest *request, const HostFacts *facts, InitPlan *ret,
                         Error *reterr);

/* Attaches what came with INIT_MSG_DETACHED, as INIT_FD_ROOT, in the mount namespace that the container joins. The helper
 * says INIT_MSG_READY then. */
int init_plan_build_attach(const Spec *spec, const HostFacts *facts, const char *rootfs, InitPlan *ret, Error *reterr);

/* Takes the rootfs out of a mount namespace that is not the container's alone (TREE_COPY): mount_id as INIT_MSG_MOUNT or
 * INIT_MSG_DETACHED had it. */
int init_plan_build_unmount(const Spec *spec, const HostFacts *facts, const char *rootfs, uint64_t mount_id,
                            InitPlan *ret, Error *reterr);

/* Flags that the launcher adds when it clones the helper for init_plan_build()'s plan: CLONE_NEWPID when the new
 * pid namespace can be entered at birth (no user and no time namespace wanted), else 0 and the plan forks. */
int init_plan_clone_flags(const Spec *spec);
