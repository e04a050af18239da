/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "basic/fd.h"
#include "basic/str.h"
#include "plan/init/plan.h"

/*
 * Plays the launcher's part for one helper: hands it a plan and answers its messages. All in a private mount
 * namespace, below one temporary directory, so that nothing is left behind.
 */

/* Root, a mount namespace of our own, a tmpfs to work in; exits 77 with a reason where that cannot be. */
void sandbox_enter(void);
/* "/…/name" in the sandbox. */
const char *sandbox_path(const char *name);
/* A root file system with busybox in the sandbox; its path. */
const char *sandbox_rootfs(const char *name);
/* For preparing files: runs in sh, must succeed. */
void shell(const char *fmt, ...) _printf_(1, 2);
/* What it prints, or "" ; freed never. */
char *shell_output(const char *fmt, ...) _printf_(1, 2);

typedef struct Launch {
        /* to be set */
        bool map;           /* answers INIT_MSG_MAP_ME with 0 -> 100000, 65536 ids */
        bool rootless;         /* … but with 0 -> 1000, one id, setgroups() denied */
        bool hang_up;          /* when the helper is ready, the launcher dies */
        InitPlan *attach;      /* the plan of another helper that gets what came with INIT_MSG_DETACHED when this one is ready */
        bool gate;          /* the plan has a gate; launch() returns once the helper waits there */
        bool older_kernel;     /* the helper has no fsconfig(FSCONFIG_SET_FD) that knows "pidns" */
        bool no_stdio_pipe; /* stdout stays ours */
        int clone_flags;       /* CLONE_NEWPID: born in the pid namespace of the container */
        int target, root;   /* pidfd, for INIT_ENTER; directory, for INIT_CHROOT; 0: none */
        unsigned extra_fds; /* open directories that the helper inherits above its own */
        /* afterwards */
        pid_t pid;          /* the container's process */
        char error[4096];   /* of INIT_MSG_ERROR */
        char output[65536]; /* what the container wrote */
        int status;         /* as wait(2) has it */
        int console;        /* pty master */
        uint64_t mount_id;  /* of INIT_MSG_MOUNT or INIT_MSG_DETACHED */
        int detached;
        char *table;        /* our mounts when that came */
        bool listened;      /* it sent a seccomp listener */
        bool ready;
        char gate_path[108];
        int output_fd;
} Launch;

/* Runs the plan to its end (or to the gate), and frees it. */
void launch(InitPlan *plan, Launch *l);
/* What `start` does; then to the end. */
void launch_start(Launch *l);
void launch_finish(Launch *l);

/* Parts of a plan as plan/init/build.c makes them, less what a test wants otherwise. */
void plan_begin(InitPlan *p, const char *rootfs, int namespaces);
/* Files are masked with the host's null device, which plan_begin() opens. */
#define PLAN_NULL_SLOT INIT_SLOTS
InitMask *plan_mask(InitPlan *p, const char *path, const char *rest);
InitMount *plan_mount(InitPlan *p, const char *type, const char *target, uint64_t attrs, uint32_t extra,
                      const char **options);
InitBind *plan_bind(InitPlan *p, const char *source, const char *target, uint64_t attrs, uint32_t extra);
void plan_dev(InitPlan *p);   /* tmpfs on /dev, devpts, nodes, symlinks */
void plan_nodes(InitPlan *p); /* nodes and symlinks alone */
void plan_end(InitPlan *p, const char *script);   /* pivot to exec of sh -c script */
void plan_shell(InitPlan *p, const char *script); /* the exec alone */
void plan_exec(InitPlan *p, const char **args, const char **env);
/* plan_begin, /proc, /dev, plan_end: runs script in a plain container. */
void plan_plain(InitPlan *p, const char *rootfs, const char *script);
