/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/caller.h"
#include "host/container.h"
#include "host/launch.h"
#include "host/netdevices.h"
#include "host/resctrl.h"
#include "host/scope.h"
#include "plan/unit/plan.h"
#include "steps/notify.h"
#include "steps/operation.h"

/* What each step of plan/launch/steps.def does, one file a step, but for those that are one line. They share: */
typedef struct StepContext {
        const Runtime *rt;
        Container *container;
        Container *session;     /* that is made in it, when systemd has called us for that; or NULL */
        const Record *whole;    /* container is a session itself: of the container that it is in */
        Manager *manager;       /* opened when it is first needed; the context's */
        UnitProperties properties; /* that systemd is asked to set, or has set with the scope */
        Scope scope;            /* that is asked of it */
        int interrupt;          /* of hooks (loop_interrupt()), where nothing else is interrupted */
        int cgroup;             /* the container's */
        int filter;             /* of devices, our own one that was there before; the context's */

        /* A process in the making, by plans that are the caller's. */
        Operation *operation;   /* that this is the context of */
        const Spec *spec;
        const SpecProcess *process;
        const UnitPlan *unit;
        const InitPlan *init;
        const RdtPlan *rdt;
        const Store *store;
        const char *id, *bundle, *keyring;
        const char *created;    /* when; NULL: now */
        const char *config;     /* the bytes of config.json */
        size_t config_size;
        const char *cgroup_path; /* of request.cgroup */
        bool starts;            /* its program, as soon as it is committed */
        bool kept;              /* its end is, by who waits for it */
        const char *status;     /* of the container, as its agent is told */
        struct {
                bool waits, no_pivot;
                const char *restart;
                uint64_t stop_timeout;
                const char *const *properties;
        } again;                /* of a service: how it is made each time (Record) */
        LaunchRequest request;
        Launch launch;
        int received;           /* what came with the message that is answered */
        NetDevices net_devices;
        Notify notify;
        int resctrl, rootfs, console, listener; /* taken from the helper, or opened; the context's */
        int console_socket, pidfd_socket; /* the caller's */
} StepContext;

#define STEP_CONTEXT_NONE                                                                                              \
        ((StepContext){ .interrupt = -EBADF, .cgroup = -EBADF, .filter = -EBADF, .launch = LAUNCH_NONE,                \
                        .received = -EBADF, .net_devices = NETDEVICES_NONE,                                            \
                        .notify = NOTIFY_NONE, .resctrl = -EBADF, .rootfs = -EBADF, .console = -EBADF,                 \
                        .listener = -EBADF, .console_socket = -EBADF, .pidfd_socket = -EBADF })
void step_context_done(StepContext *c);

/* The connection to the container's systemd. */
int step_manager(StepContext *c, Manager **ret, Error *reterr);

#define STEP(OP, step, ...) extern const StepKind step_##step;
#include "plan/launch/steps.def"
extern const StepKind *const step_kinds[_LAUNCH_OP_MAX];
