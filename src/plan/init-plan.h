/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "basic/alloc.h"
#include "basic/str.h"

/*
 * The init plan: what the helper does, step by step, from the moment it is spawned until it becomes the
 * container's process. It is data: built by a pure function (init-build.h), printed one line a step for the
 * golden tests, handed to the helper in a sealed memfd, executed there in order (helper/). The helper decides
 * nothing; if the order of things matters, the plan says it.
 *
 * Includes nothing but basic/, because the helper is a static binary of its own.
 */

typedef enum InitOp {
        /* --- still in the host's namespaces ------------------------------------------------------------ */
        INIT_OPEN_NS = 1,     /* slot, type; path: opens a namespace file and checks that it is one of that type */
        INIT_OPEN_TREE,       /* slot, recursive; path: a detached copy of that mount (open_tree), for INIT_BIND */
        INIT_OOM_SCORE_ADJ,   /* value, lenient: lowering may be refused without an error */
        INIT_RAISE_RLIMIT,    /* resource, hard: raises the hard limit now, while we may (before INIT_USERNS) */

        /* --- into the container's namespaces ------------------------------------------------------------ */
        INIT_ENTER,           /* flags: setns(target pidfd, flags), all at once; for exec */
        INIT_JOIN,            /* slot, type: setns() to what INIT_OPEN_NS opened */
        INIT_USERNS,          /* unshares it, has the launcher write the id maps, becomes uid 0 and gid 0 in it */
        INIT_BECOME_ROOT,     /* setgid(0), setuid(0) after joining a user namespace */
        INIT_UNSHARE,         /* flags (CLONE_NEW*) */
        INIT_TIME_OFFSETS,    /* boottime secs, nsecs, monotonic secs, nsecs: before INIT_FORK */
        INIT_FORK,            /* goes on in a child of the launcher (CLONE_PARENT), whose pid the launcher is told:
                               * for the namespaces that only a child enters (pid, time) */
        INIT_SETSID,
        INIT_KEYRING,         /* name: joins a new session keyring; lenient where the kernel has none */
        INIT_LOOPBACK,        /* brings "lo" up */
        INIT_HOSTNAME,        /* name */
        INIT_DOMAINNAME,      /* name */

        /* --- the mount tree ------------------------------------------------------------------------------ */
        INIT_ROOT_PROPAGATION,/* flags (MS_SLAVE…|MS_REC): of "/" in the new mount namespace, first of all */
        INIT_ROOTFS,          /* path: attaches a copy of the tree over itself; from here on paths are in it */
        INIT_MOUNT,           /* attrs, sb flags, propagation, extra; type, source, target; list 0: options "k=v".
                               * A new file system (fsopen), attributes set before it is attached */
        INIT_BIND,            /* slot (or INIT_NO_SLOT), attrs set, attrs cleared, recursive attrs set, recursive attrs
                               * cleared, propagation, extra; source (when no slot), target */
        INIT_CGROUP,          /* attrs, own namespace: the container's cgroup tree at target, in its own cgroup
                               * namespace (a new cgroup2 mount) or as a bind of its directory; target */
        INIT_DEVICE,          /* type ('c', 'b', 'p'), major, minor, mode, uid, gid; path: makes or keeps the node */
        INIT_DEVICE_BIND,     /* type, major, minor; path: binds the host's node of that path and numbers (user ns) */
        INIT_SYMLINK,         /* target, path: kept when something is there already */
        INIT_CONSOLE,         /* height, width, uid, gid: a pty of the container's devpts; master to the launcher,
                               * peer on /dev/console, and the controlling terminal on 0, 1, 2 */
        INIT_WAIT_CGROUP,     /* until the launcher says that the process is in its final cgroup */
        INIT_RUNTIME_HOOKS,   /* until the launcher has run prestart and createRuntime hooks */
        INIT_HOOK,            /* timeout s (0: none); path, state head, state tail; list 0: args, list 1: env. Runs a
                               * hook here and now; on stdin the head, our pid in decimal, the tail */
        INIT_SYSCTL,          /* path ("net/ipv4/ip_forward"), value: through our own procfs */
        INIT_MASK,            /* path: nothing to see there; skipped when it does not exist */
        INIT_READONLY,        /* path: read-only; skipped when it does not exist */
        INIT_PIVOT,           /* pivot_root to the rootfs, old root detached */
        INIT_MOVE_ROOT,       /* the same for --no-pivot: MS_MOVE and chroot */
        INIT_REMOUNT_ROOT,    /* attrs: set on "/" */
        INIT_SHARE_ROOT,      /* flags (MS_SHARED…): propagation of "/" after the pivot (rootfsPropagation) */

        /* --- the process --------------------------------------------------------------------------------- */
        INIT_STDIO_OWNER,     /* uid, gid: pipes and ttys on 0, 1, 2 given to the user */
        INIT_RLIMIT,          /* resource, soft, hard */
        INIT_SCHEDULER,       /* policy, nice, priority, flags, runtime, deadline, period */
        INIT_IO_PRIORITY,     /* value, as ioprio_set(2) takes it */
        INIT_AFFINITY,        /* list ("0-3,7") of CPUs */
        INIT_PERSONALITY,     /* persona */
        INIT_MEMORY_POLICY,   /* mode|flags; nodes ("0-1") */
        INIT_APPARMOR,        /* profile, for the coming exec, through our own procfs */
        INIT_SELINUX,         /* label, for the coming exec */
        INIT_UMASK,           /* mask */
        INIT_BOUNDING,        /* mask: drops every other capability from the bounding set */
        INIT_USER,            /* uid, gid, keep groups (0, 1), lenient groups; list 0: additional gids in decimal.
                               * Keeps the permitted capabilities */
        INIT_CAPABILITIES,    /* effective, permitted, inheritable, ambient */
        INIT_CWD,             /* path: chdir, checked to be inside the root */
        INIT_NO_NEW_PRIVS,
        INIT_SECCOMP,         /* flags, listener; listener path, metadata; blob: struct sock_filter[] */
        INIT_FIND,            /* list 0: args, list 1: env: finds the executable (PATH of env), for INIT_EXEC */

        /* --- the gates ------------------------------------------------------------------------------------- */
        INIT_READY,           /* tells the launcher that all is done; waits for its word */
        INIT_GATE,            /* waits for `start` on the gate socket */
        INIT_EXEC,            /* list 0: args, list 1: env */
        _INIT_OP_MAX,
} InitOp;

#define INIT_NUMS 7
#define INIT_STRS 3
#define INIT_LISTS 2

/* A slot that means none. Slots are 0 to INIT_SLOTS - 1. */
#define INIT_NO_SLOT UINT64_MAX
#define INIT_SLOTS 512

/* "extra" of INIT_MOUNT and INIT_BIND. */
#define INIT_COPY_UP (1U << 0)        /* tmpcopyup: what is at the target is copied into the new tmpfs */
#define INIT_SYSFS_FALLBACK (1U << 1) /* sysfs refused (no network namespace of ours): bind the host's /sys instead */
#define INIT_TARGET_FILE (1U << 2)    /* the target is made as a file when it is missing (else: by the source's type) */
#define INIT_NO_TARGET_SYMLINK (1U << 3) /* /proc and /sys: the target must be a directory, not a symlink */

typedef struct InitStep {
        InitOp op;
        uint64_t num[INIT_NUMS];      /* negative values as two's complement */
        const char *str[INIT_STRS];   /* NULL when absent */
        const char **list[INIT_LISTS];/* NULL-terminated; NULL when absent */
        const void *blob;
        size_t blob_size;
} InitStep;

typedef struct InitPlan {
        InitStep *steps;
        size_t n_steps;
        Arena arena;
} InitPlan;

void init_plan_done(InitPlan *plan);

/* Appends a step, zeroed but for its op. Valid until the next call. */
InitStep *init_plan_add(InitPlan *plan, InitOp op);

/* Is there a step of that kind? */
bool init_plan_has(const InitPlan *plan, InitOp op);

/* One line a step, "mount type=proc source=proc target=/proc attrs=nosuid,nodev,noexec": for people and goldens. */
void init_plan_print(const InitPlan *plan, Text *text);

/* To bytes and back. decode() points into bytes, which must stay; it checks everything it reads (-EBADMSG). */
void init_plan_encode(const InitPlan *plan, Text *ret);
int init_plan_decode(const void *bytes, size_t size, InitPlan *ret);
