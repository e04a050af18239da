/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <errno.h>

#include "host/launch.h"
#include "host/netdevices.h"
#include "host/resctrl.h"
#include "runtime/filter.h"
#include "runtime/runtime.h"
#include "runtime/streams.h"

/*
 * A container in the making: what create and run share. The order is what makes it safe (HACKING, "A container is
 * made"): everything that can be refused is refused before anything exists; then the record, then the child, then
 * the scope; the child's work overlaps with systemd's.
 *
 * creation_undo() takes back whatever half of it was done.
 */
typedef struct Creation {
        const Runtime *rt;
        const CreateOptions *options;
        bool start_now;          /* run: no gate */

        Store store;
        char *bundle;            /* resolved */
        char *config;            /* the bytes of config.json */
        size_t config_size;
        Spec *spec;
        Filter filter;
        UnitPlan unit;
        InitPlan init;
        RdtPlan rdt;
        const char *keyring;     /* the name of its session keyring, or NULL: it keeps the caller's */
        uint32_t preserve_fds;   /* descriptors from 3 on that go into the container */

        Manager *manager;        /* NULL: no scope */
        int console_socket, pidfd_socket;
        Container container;
        bool made;               /* the container directory is ours to remove */
        bool wrote_pid_file;
        bool scope_requested;
        uint64_t scope_asked;    /* when */
        bool hooked;             /* hooks were run: its end calls for the poststop hooks (runtime.md, "Lifecycle") */
        Streams *streams;        /* for run in the foreground, or NULL */
        Launch launch;
        NetDevices net_devices;  /* those that were moved */
        int resctrl;             /* its root, when there is something to do there */
        bool rdt_done, rdt_made; /* it was done; the group was not there before */
        int console;             /* the pty's master, for run in the foreground */
        int notify;              /* what it notifies by, for run */
        int rootfs;              /* complete, and to be attached in the mount namespace that was joined */
        int listener;            /* a seccomp listener, until it is known whose */
} Creation;

#define CREATION_NEW(runtime, opts, now)                                                                   \
        ((Creation){ .rt = (runtime), .options = (opts), .start_now = (now), .store = { .fd = -EBADF },    \
                     .console_socket = -EBADF, .pidfd_socket = -EBADF,       \
                     .container = { .dir = -EBADF }, .launch = LAUNCH_NONE, .net_devices = NETDEVICES_NONE, \
                     .resctrl = -EBADF, \
                     .console = -EBADF, .notify = -EBADF, .rootfs = -EBADF, .listener = -EBADF })

/* Frees memory and closes descriptors; the container stays. */
void creation_done(Creation *c);
#define _cleanup_creation_ _cleanup_(creation_done)

/* Reads, checks and plans. Nothing exists yet. */
int creation_plan(Creation *c, Error *reterr);
/* Makes it, up to a process that waits for creation_release(). On failure everything has been undone. */
int creation_make(Creation *c, Error *reterr);
/* The record is committed: lets the process go on, to its gate or to its program. For run, returns once the program
 * has been executed. On failure everything has been undone. */
int creation_release(Creation *c, Error *reterr);
void creation_undo(Creation *c);

/* Saves in the record which process it is, or, not yet committed, is to be. -ESRCH. */
int creation_note_process(Creation *c, bool committed, Error *reterr);
/* Asks for the scope, once; the launched process is what is in it. 1 when there is nothing to wait for. */
int creation_request_scope(Creation *c, Error *reterr);
/* systemd has started it: it must be the cgroup of our process, is then recorded, and gets the rest of the limits. */
int creation_settle(Creation *c, Error *reterr);

/* A cgroup in the caller's unit instead, with its limits and with the launched process in it. */
int creation_make_cgroup(Creation *c, Error *reterr);

/* The annotation's cgroup below the container's own, if there is one; then the helper hears that it is in its cgroup. */
int creation_enter(Creation *c, int cgroup, Error *reterr);

/* Into the cgroup that the container manages itself, if an annotation names one: when it has its cgroup namespace. */
int creation_delegate(Creation *c, Error *reterr);

/* Without a cgroup there are no limits; device rules aside, which every engine writes. */
int creation_check_no_limits(const Spec *spec, const HostFacts *facts, Error *reterr);

/* --pid-file: atomic, decimal, no newline (containerd parses it untrimmed). */
int write_pid_file(const char *path, pid_t pid, Error *reterr);
void remove_pid_file(const char *path);
