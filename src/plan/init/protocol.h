/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <limits.h>
#include <stdint.h>

/*
 * Between the launcher (host/launch.c) and the helper (helper/): one message a datagram over a SEQPACKET pair, and from
 * INIT_MSG_PIPES on one a packet over two pipes, as a socket tells who holds it who is at the other end (SO_PEERPIDFD).
 * The end of the stream is a message too: to the helper it means that the launcher is gone (it exits), to the
 * launcher, after INIT_MSG_READY, that the exec succeeded (the pipe is close-on-exec).
 *
 * INIT_MSG_CGROUP and INIT_MSG_BOUND may be sent at any time; the other messages to the helper are answers that it waits for
 * at once. When the helper dies with one of them unread, the launcher's next recvmsg() says ECONNRESET, once: what was sent
 * before is still behind it.
 *
 * The helper is called as `ocirt-sd-init ID MARK BASE`: from descriptor BASE on come the control socket, the
 * plan (a sealed memfd), the target (a pidfd of the container's init), a root (that init's, or a rootfs that is to be
 * attached), the launcher's cgroup, and the pipes to the launcher and from it; the first three of these only if the plan has
 * steps that use them. 3 to BASE - 1 are preserved for the container.
 */
enum { INIT_FD_CONTROL, INIT_FD_PLAN, INIT_FD_TARGET, INIT_FD_ROOT, INIT_FD_CGROUP, INIT_FD_SAY, INIT_FD_HEAR, _INIT_FDS };

typedef enum InitMessageType {
        /* over the gate, where what waits may be of an earlier version than `start`: these numbers stay as they are */
        INIT_MSG_ERROR = 9, /* value: errno; text: one sentence. The helper exits; to the launcher, too */
        INIT_MSG_NOTIFY = 10, /* with the socket that the container notifies by; to the launcher or, before the answer, to
                             * `start`. Without it, if it cannot be sent (value: its number): `start` says INIT_MSG_START again
                             * when it has taken it, or does without, else INIT_MSG_ERROR */
        INIT_MSG_START = 16,/* from `start`; the answer is INIT_MSG_ERROR or the end of the stream */
        /* helper to launcher */
        INIT_MSG_PID,       /* value: the process that goes on (INIT_FORK), in the launcher's pid namespace */
        INIT_MSG_INSIDE,    /* value: the process that goes on, in a pid namespace where others may lay hands on it
                             * (INIT_FORK_INSIDE). It is as good as ready: waits for INIT_MSG_GO if the plan has an
                             * INIT_READY */
        INIT_MSG_MAP_ME,    /* value: 0. The new user namespace wants its maps; waits for INIT_MSG_MAPPED */
        INIT_MSG_HOOKS,     /* runs no further before INIT_MSG_HOOKS_DONE */
        INIT_MSG_NETWORK,   /* with a netlink socket of the container's network namespace; waits for INIT_MSG_NETWORK_DONE */
        INIT_MSG_MOUNT,     /* with the mount that is about to be attached in a mount namespace of others, which outlives
                             * the container (INIT_ROOTFS); waits for INIT_MSG_NOTED */
        INIT_MSG_DETACHED,  /* with the rootfs, complete and mounted nowhere (INIT_DETACH), which the launcher attaches when the
                             * helper is ready; waits for INIT_MSG_NOTED */
        INIT_MSG_NOT_LOCKED,/* there can be no user namespaces for INIT_LOCK_MOUNTS, and all goes on */
        INIT_MSG_GATE,      /* with a socket of the container's network namespace, for the launcher to give it the gate's
                             * address; INIT_MSG_BOUND is waited for before INIT_MSG_PIPES */
        INIT_MSG_CONSOLE,   /* with the pty's master */
        INIT_MSG_LISTENER,  /* with the seccomp listener */
        INIT_MSG_PIPES,     /* the last that goes over the socket, before INIT_MSG_INSIDE or INIT_MSG_READY */
        INIT_MSG_READY,     /* waits for INIT_MSG_GO */
        /* launcher to helper */
        INIT_MSG_MAPPED,
        INIT_MSG_NOTED,
        INIT_MSG_CGROUP,    /* the process is in its final cgroup */
        INIT_MSG_BOUND,     /* the gate has its address */
        INIT_MSG_HOOKS_DONE,
        INIT_MSG_NETWORK_DONE,
        INIT_MSG_GO,        /* committed: on to the gate, or to the exec */
        _INIT_MSG_MAX,
} InitMessageType;

#define INIT_TEXT_MAX (PIPE_BUF - 8)

typedef struct InitMessage {
        uint32_t type;
        int32_t value;
        char text[INIT_TEXT_MAX]; /* NUL-terminated; sent only as far as it goes */
} InitMessage;
_Static_assert(sizeof(InitMessage) <= PIPE_BUF, "a message is one packet");
