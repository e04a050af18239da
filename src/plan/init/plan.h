/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "basic/alloc.h"
#include "basic/str.h"

/*
 * The init plan: what the helper does, step by step, from the moment it is spawned until it becomes the
 * container's process. It is data: built by a pure function (build.h), printed one line a step for the
 * golden tests, handed to the helper in a sealed memfd, executed there in order (helper/). The helper decides
 * nothing; if the order of things matters, the plan says it.
 *
 * Includes nothing but basic/, because the helper is a static binary of its own.
 */

typedef enum InitOp {
        /* --- still in the host's namespaces ------------------------------------------------------------ */
        INIT_OPEN_NS = 1,     /* slot, type; path: opens a namespace file and checks that it is one of that type */
        INIT_IDMAP,           /* slot; list 0: uids, list 1: gids ("0:100000:65536"): a user namespace with these maps
                               * and nobody in it, for the next two */
        INIT_OPEN_TREE,       /* slot, extra, idmap slot (or INIT_NO_SLOT), idmap recursive, attrs set, attrs cleared, recursive
                               * attrs set, recursive attrs cleared; path: a detached copy of that mount (open_tree), for
                               * INIT_BIND; with INIT_SOURCE_IN_ROOT once there is a rootfs */
        INIT_LOCK_SOURCES,    /* of the mounts of INIT_OPEN_TREE with INIT_LOCKED, from here on nobody takes off attributes or
                               * what is mounted in them; they are slaves of what was shared */
        INIT_OPEN_FS,         /* slot, sb flags, idmap slot (or INIT_NO_SLOT), pid namespace as of INIT_MOUNT; type, source;
                               * list 0: options "k=v". A new file system that is not attached yet, for INIT_BIND */
        INIT_OPENER,          /* leaves a process behind that opens for each later INIT_OPEN_TREE, with what we may now, in the
                               * mount namespace and the rootfs that we have then */
        INIT_OPEN_NODE,       /* slot, type ('c', 'b'), major, minor, mode, uid, gid; list 0: options "k=v". A device node, for
                               * INIT_CLONE_NODES, on a tmpfs that is mounted nowhere yet: one for all, with the options of
                               * the first */
        INIT_OPEN_LOG,        /* slot; path: opens a file for what hooks write, made when it is missing */
        INIT_OOM_SCORE_ADJ,   /* value */
        INIT_RAISE_RLIMIT,    /* resource, hard: raises the hard limit now, while we may (before INIT_USERNS); when
                               * that is refused, it is INIT_RLIMIT that fails */

        INIT_ENTER_ROOTFS,    /* path: makes it the working directory, which comes along into a new mount namespace, for
                               * INIT_ROOTFS. A refusal is no error: that walks the path itself then */

        /* --- into the container's namespaces ------------------------------------------------------------ */
        INIT_ENTER,           /* flags: setns(target pidfd, flags), all at once; for exec */
        INIT_JOIN,            /* slot, type; settings: setns() to what INIT_OPEN_NS opened, which stays open. settings names
                               * what is about to be changed there: then it must be another than the one we are in */
        INIT_USERNS,          /* uid, gid, keep groups: unshares it, has the launcher write the id maps, becomes these
                               * in it */
        INIT_BECOME_ROOT,     /* uid, gid, keep groups: the same after joining a user namespace; 0, where it has
                               * that */
        INIT_UNSHARE,         /* flags (CLONE_NEW*) */
        INIT_TIME_OFFSETS,    /* boottime secs, nsecs, monotonic secs, nsecs: before INIT_FORK */
        INIT_FORK,            /* goes on in a child of the launcher (CLONE_PARENT), whose pid the launcher is told:
                               * for the namespaces that only a child enters (pid, time) */
        INIT_FORK_INSIDE,     /* the same for a pid namespace that others are in: closes all but what the container gets,
                               * the gate and the way to the launcher, which from here on believes next to nothing. What
                               * is born is already what the container's process may be */
        INIT_SETSID,
        INIT_KEYRING,         /* shared, in a user namespace; name: joins a session keyring, a new one, or with shared the one
                               * of that name that we have made before; without a name one that nobody else joins. Lenient
                               * where the kernel has no keys */
        INIT_LOOPBACK,        /* brings "lo" up */
        INIT_MAKE_GATE,       /* the socket of INIT_GATE, in the network namespace that it will be seen from; the launcher
                               * gives it its address */
        INIT_NET_DEVICES,     /* until the launcher has moved network devices into our network namespace */
        INIT_HOSTNAME,        /* name */
        INIT_DOMAINNAME,      /* name */

        /* --- the mount tree ------------------------------------------------------------------------------ */
        INIT_ROOT_PROPAGATION,/* flags (MS_SLAVE…|MS_REC), opened: of "/" in the new mount namespace, first of all; opened: of
                               * the mounts that were opened before (0: the same) */
        INIT_ROOTFS,          /* flags, lasting, in place; path: attaches a copy of the tree over itself, of that propagation
                               * (MS_SLAVE or MS_PRIVATE, |MS_REC), on a parent that is made private before: what is
                               * mounted in it shows nowhere else. lasting: the mount namespace is not the container's
                               * alone, the launcher is told of the mount, and the parent stays as it is. in place: no
                               * copy, nothing will be mounted. From here on paths are in it */
        INIT_MOUNT,           /* attrs, sb flags, propagation, extra, slot (or INIT_NO_SLOT) of the pid namespace
                               * that a procfs is to show, slot to keep the mount in (or INIT_NO_SLOT; the same below);
                               * type, source, target; list 0: options "k=v". A new file system (fsopen), attributes
                               * set before it is attached */
        INIT_BIND,            /* slot (or INIT_NO_SLOT), attrs set, attrs cleared, recursive attrs set, recursive attrs
                               * cleared, propagation, extra, propagation of the top alone after that, slot to keep
                               * it; source (when no slot), target */
        INIT_CGROUP,          /* attrs, own namespace, propagation, own directory, slot to keep it; target, where the host
                               * has cgroup2: in its own cgroup namespace a new mount, which shows the container's tree
                               * (it may come after INIT_PIVOT then); otherwise a copy of the host's mount, of all of it
                               * or of the container's own directory */
        INIT_REMOUNT,         /* attrs set, attrs cleared, recursive attrs set, recursive attrs cleared, propagation,
                               * propagation of the top alone, slot (or INIT_NO_SLOT); path: of the mount that is at path
                               * already; rest. slot: of the mount that the path lies on, from whose root it is looked
                               * up: the rest of it, or nothing. The same below */
        INIT_NOTIFY,          /* slot (or INIT_NO_SLOT), kept; path, rest, name: makes a socket of that name in the directory at
                               * path, to which all may send, for sd_notify(3). The launcher is given it; kept: who calls
                               * `start` is (INIT_GATE) */
        INIT_DEVICE,          /* type ('c', 'b', 'p'), major, minor, mode, uid, gid, set (INIT_SET_*: what a node that is
                               * there already is given, too), slot (or INIT_NO_SLOT) for a detached mount of it; path: makes
                               * or keeps the node */
        INIT_CLONE_NODES,     /* first slot, number of slots: of the nodes of INIT_OPEN_NODE in these slots detached mounts, for
                               * INIT_DEVICE_BIND or INIT_MASK; nothing else of their file system remains */
        INIT_HOST_NULL,       /* slot: a detached mount of the host's null device, for INIT_MASK */
        INIT_DEVICE_BIND,     /* slot (or INIT_NO_SLOT: the host's node of that path and numbers), type, major, minor; path:
                               * binds a node (user ns) */
        INIT_SYMLINK,         /* target, path: kept when something is there already */
        INIT_CONSOLE,         /* height, width, uid, gid, bind: a pty of the container's devpts; master to the
                               * launcher, peer on 0, 1, 2; bind: on /dev/console too */
        INIT_CONTROL_TERMINAL,/* what is on 0 becomes that of our session */
        INIT_WAIT_CGROUP,     /* until the launcher says that the process is in its final cgroup */
        INIT_RUNTIME_HOOKS,   /* until the launcher has run prestart and createRuntime hooks */
        INIT_HOOK,            /* timeout s (0: none), slots for stdout and stderr (or INIT_NO_SLOT: into the error, if
                               * it fails), home, in rootfs; path, state head, state tail; list 0: args, list 1: env. Runs a
                               * hook here and now; on stdin the head, our pid in decimal, the tail. home: its HOME is the
                               * process's, which INIT_FIND has looked up. in rootfs: that is its working directory */
        INIT_SYSCTL,          /* path ("net/ipv4/ip_forward"), value: through our own procfs */
        INIT_MASK,            /* slot (or INIT_NO_SLOT), slot with a mount of a null device, which the first that is a file
                               * takes; path: nothing to see there; skipped when it does not exist; rest */
        INIT_READONLY,        /* slot (or INIT_NO_SLOT), slot to keep it; path: read-only; skipped when it does not exist;
                               * rest */
        INIT_PIVOT,           /* pivot_root to the rootfs, old root made slave (or else the host loses its mounts with
                               * us when it is shared) and detached */
        INIT_MOVE_ROOT,       /* the same for --no-pivot: MS_MOVE and chroot */
        INIT_CHROOT,          /* handed over: the rootfs becomes "/" of this process alone, in a mount namespace that
                               * others are in too. handed over: it is INIT_FD_ROOT */
        INIT_REMOUNT_ROOT,    /* attrs: set on "/" */
        INIT_SHARE_ROOT,      /* flags (MS_SHARED…): propagation of "/" after the pivot (rootfsPropagation) */
        INIT_DETACH,          /* locked: from here on the rootfs is a copy of what it is by now, with all that is mounted in it
                               * and is not unbindable, which is mounted nowhere. The launcher is given it, for INIT_ATTACH.
                               * locked: nothing in it is unmounted any more but with all of it, and stays where it is then
                               * for who has it open; nothing in it is shared */
        INIT_LOCK_MOUNTS,     /* nothing is unmounted any more but with all of it, and stays where it is then for who has it
                               * open. What was shared is a slave of that from here on, and slots are of what was before.
                               * Where the kernel refuses, the launcher is told */
        INIT_MKDIR,           /* path: made with its parents (0755) when missing; a refusal is no error, because what
                               * needs the directory (INIT_CWD) fails with a better one */

        /* --- instead of all that ------------------------------------------------------------------------- */
        INIT_ATTACH,          /* path: attaches INIT_FD_ROOT there, the rootfs of INIT_DETACH, in the mount namespace of others
                               * that we have joined, on a mount that must not be shared */
        INIT_UNMOUNT,         /* mount id; path: unmounts what INIT_ROOTFS or INIT_ATTACH attached there to last, if it is still
                               * on top; ends the helper */

        /* --- the process --------------------------------------------------------------------------------- */
        INIT_STDIO_OWNER,     /* uid, gid (-1: stays): pipes on 0, 1, 2 given to the user, the host's null device there
                               * replaced by the container's; refusals ignored */
        INIT_RLIMIT,          /* resource, soft, hard */
        INIT_SCHEDULER,       /* policy, nice, priority, flags, runtime, deadline, period */
        INIT_IO_PRIORITY,     /* value, as ioprio_set(2) takes it */
        INIT_AFFINITY,        /* list ("0-3,7") of CPUs; in the final cgroup */
        INIT_PERSONALITY,     /* persona */
        INIT_MEMORY_POLICY,   /* mode|flags; nodes ("0-1") */
        INIT_APPARMOR,        /* profile, for the coming exec, through our own procfs */
        INIT_SELINUX,         /* label, for the coming exec */
        INIT_UMASK,           /* mask */
        INIT_BOUNDING,        /* mask: drops every other capability from the bounding set */
        INIT_USER,            /* uid, gid, keep groups (0, 1), lenient groups; list 0: additional gids in decimal.
                               * Keeps the permitted capabilities and makes them effective again */
        INIT_CAPABILITIES,    /* effective, permitted, inheritable, ambient */
        INIT_CWD,             /* path: chdir, checked to be inside the root */
        INIT_NO_NEW_PRIVS,
        INIT_SECCOMP,         /* flags, listener, of hooks; listener path, metadata; blob: struct sock_filter[]. of hooks: what
                               * is forked by INIT_HOOK from here on has it, but not we */
        INIT_FIND,            /* effective; list 0: args, list 1: env: finds the executable (PATH of env), for INIT_EXEC, with
                               * no other capabilities. When env has no HOME, looks up that of our uid in the container's
                               * /etc/passwd (no NSS; "/" when it is not there), which INIT_EXEC adds */

        /* --- the gates ------------------------------------------------------------------------------------- */
        INIT_READY,           /* tells the launcher that all is done; waits for its word */
        INIT_GATE,            /* waits for `start` on the socket of INIT_MAKE_GATE; gives it what INIT_NOTIFY has kept */
        INIT_EXEC,            /* listen (0, 1); list 0: args, list 1: env. listen: LISTEN_PID is added, our pid */
        _INIT_OP_MAX,
} InitOp;

#define INIT_NUMS 9
#define INIT_STRS 3
#define INIT_LISTS 2

/* A slot that means none. Slots are 0 to INIT_SLOTS - 1. */
#define INIT_NO_SLOT UINT64_MAX
#define INIT_SLOTS 512U

/* A uid or gid that means: leave it as it is (what chown(2) takes). */
#define INIT_KEEP_ID UINT64_MAX

/* "set" of INIT_DEVICE. */
#define INIT_SET_MODE (1U << 0)
#define INIT_SET_OWNER (1U << 1)

/* "extra" of INIT_MOUNT, INIT_BIND and INIT_OPEN_TREE. A target that lies on a procfs is refused unless INIT_TARGET_ON_PROC
 * is there, however the path led to it. Recursive attributes are set after the others. */
#define INIT_COPY_UP (1U << 0)        /* tmpcopyup: what is at the target is copied into the new tmpfs */
#define INIT_HOST_FALLBACK (1U << 1)  /* refused, because its namespace is not ours: bind the host's mount instead */
#define INIT_TARGET_FILE (1U << 2)    /* the target is made as a file when it is missing (else: by the source's type) */
#define INIT_NO_TARGET_SYMLINK (1U << 3) /* /proc and /sys: the target must be a directory, not a symlink */
#define INIT_RECURSIVE (1U << 4)      /* rbind */
#define INIT_TARGET_ON_PROC (1U << 5) /* one of the files of /proc that may be covered */
#define INIT_SOURCE_PROC (1U << 6)    /* a bind on /proc: the source must be the root of a procfs */
#define INIT_TARGET_MODE (1U << 7)    /* tmpfs without a mode: takes that of the directory it covers, if that existed */
#define INIT_NO_SOURCE_FOLLOW (1U << 8) /* a source that is a symlink is bound itself */
#define INIT_NO_TARGET_FOLLOW (1U << 9) /* a target that is a symlink is covered itself */
#define INIT_COPY_SYMLINK (1U << 10)  /* a source that is a symlink is made at the target once more instead */
#define INIT_SOURCE_IN_ROOT (1U << 11) /* the source is a path in the rootfs, with what is mounted there so far */
#define INIT_LOCKED (1U << 12) /* of a mount for a user namespace: INIT_LOCK_SOURCES locks it */
/* What is about the source, of which INIT_OPEN_TREE is told where there is one. */
#define INIT_OF_SOURCE (INIT_RECURSIVE | INIT_NO_SOURCE_FOLLOW | INIT_SOURCE_IN_ROOT | INIT_LOCKED)

typedef struct InitStep {
        InitOp op;
        uint64_t num[INIT_NUMS];      /* negative values as two's complement */
        const char *str[INIT_STRS];   /* NULL when absent */
        const char **list[INIT_LISTS];/* NULL-terminated; NULL when absent */
        const void *blob;
        size_t blob_size;
        const char *origin;           /* the JSON path that it comes from, in front of its errors; NULL: they say enough
                                       * themselves. Not printed */
} InitStep;

typedef struct InitPlan {
        InitStep *steps;
        size_t n_steps;
        /* Left to the launcher; the first two once the helper is ready: */
        bool launcher_schedules;      /* process.scheduler and ioPriority */
        bool launcher_gives_stdio;    /* what INIT_STDIO_OWNER does */
        uint8_t piped;                /* of 0, 1 and 2, a bit each, those that the process is not to have: it gets pipes, and
                                       * the launcher copies */
        Strings warnings;             /* for people: what is passed over, and why. Not handed to the helper */
        Arena arena;
} InitPlan;

void init_plan_done(InitPlan *plan);

/* "mount", "open-tree": as printed; "?" for what is no op. */
const char *init_op_name(InitOp op);

/* Appends a step, zeroed but for its op and the slots that may be none, which are. Valid until the next call. */
InitStep *init_plan_add(InitPlan *plan, InitOp op);

/* Is there a step of the one kind, with none of the other before it? */
bool init_plan_comes_to(const InitPlan *plan, InitOp op, InitOp before);

/* One line a step, "mount type=proc source=proc target=/proc attrs=nosuid,nodev,noexec": for people and goldens. */
void init_plan_print(const InitPlan *plan, Text *text);
/* The same, with what each step comes from: "mount type=proc … # mounts[0]". */
void init_plan_explain(const InitPlan *plan, Text *text);
/* "chown,net_raw", or "none" */
void init_plan_print_capabilities(Text *text, uint64_t mask);

/* To bytes and back. decode() points into bytes, which must stay; it checks everything it reads (-EBADMSG): ops, which
 * numbers, strings and lists an op has and needs, slots, NULs. args has at least one element. */
void init_plan_encode(const InitPlan *plan, Text *ret);
int init_plan_decode(const void *bytes, size_t size, InitPlan *ret);
