/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <errno.h>

#include "runtime/filter.h"
#include "runtime/runtime.h"
#include "runtime/streams.h"
#include "steps/steps.h"

/*
 * A container in the making: what create and run share. The order is what makes it safe (HACKING, "A container is
 * made"): everything that can be refused is refused before anything exists; the rest is a launch plan (plan/launch/create.c).
 */
typedef struct Creation {
        const Runtime *rt;
        const CreateOptions *options;
        bool start_now;          /* run: no gate */
        const char *called_by;   /* the service whose main process it becomes, and that has called us; or NULL */

        Store store;
        char *bundle;            /* resolved */
        char *config;            /* the bytes of config.json */
        size_t config_size;
        Spec *spec;
        Filter filter;
        const char *created;     /* when, if it was before; or NULL */
        const char *keyring;     /* the name of its session keyring, or NULL: it keeps the caller's */
        uint32_t preserve_fds;   /* descriptors from 3 on that go into the container */
        Manager *manager;        /* until it is the steps'; NULL: no scope */
        int console_socket, pidfd_socket;
        UnitPlan unit;
        InitPlan init;
        RdtPlan rdt;
        LaunchPlan plan;

        Container container;
        Streams *streams;        /* for run in the foreground, or NULL */
        StepContext steps;
        Operation operation;
} Creation;

#define CREATION_NEW(runtime, opts, now)                                                                \
        ((Creation){ .rt = (runtime), .options = (opts), .start_now = (now), .store = { .fd = -EBADF }, \
                     .console_socket = -EBADF, .pidfd_socket = -EBADF, .container = { .dir = -EBADF },  \
                     .steps = STEP_CONTEXT_NONE })

/* Frees memory and closes descriptors; the container stays. */
void creation_done(Creation *c);
#define _cleanup_creation_ _cleanup_(creation_done)

/* Reads, checks and plans. Nothing exists yet. */
int creation_plan(Creation *c, Error *reterr);
/* The same for a container that there is, whose service systemd starts (once more). */
int creation_plan_again(Creation *c, Error *reterr);
/* Does what was planned, up to a process that waits at its gate or, for run, has executed its program. On failure everything
 * has been undone. */
int creation_make(Creation *c, Error *reterr);

/* Without a cgroup there are no limits; device rules aside, which every engine writes. */
int creation_check_no_limits(const Spec *spec, const HostFacts *facts, Error *reterr);
