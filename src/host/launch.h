/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/types.h>

#include "oci/spec.h"
#include "plan/init/plan.h"
#include "plan/init/protocol.h"

/*
 * Spawning the helper (helper/) and talking to it. The helper runs from a copy that nobody can write to through
 * /proc/PID/exe, and from which nothing of the host's can be reached: a sealed memfd.
 */

#define HELPER_NAME "ocirt-sd-init"

typedef struct LaunchRequest {
        const char *id;             /* on its command line, for people who look at ps, with the mark behind it */
        uint64_t mark;
        const InitPlan *plan;
        unsigned clone_flags;       /* CLONE_NEWPID, or 0 */
        uint32_t preserve_fds;
        int target, root;           /* or -EBADF */
        int cgroup;                 /* born in this cgroup, or -EBADF: in ours */
        bool sibling;               /* a child of our parent's: of systemd's, if that is who has started us */
        const char *cgroup_path;    /* and that is born there; NULL: in ours */
        const char *cpus;           /* a list: where we are to be when we make the process; NULL: it may run anywhere */
        int stdio[3];               /* what becomes 0, 1, 2, kept by who asks until launch_finish() */
} LaunchRequest;

typedef struct Launch {
        pid_t pid;                  /* the process that goes on; changes with INIT_MSG_PID and INIT_MSG_INSIDE */
        int pidfd;
        int control;                /* where it speaks: a socket, and later a pipe */
        int later;                  /* that pipe, until then; -EBADF: it is later */
        int answers[2];             /* the pipe on which it hears us later. That we could read it, too, keeps SIGPIPE from us */
        int stdio[3];               /* the request's */
        pid_t left;                 /* the one before it, which exits by itself and is not reaped yet; or 0 */
        bool inside;                /* it is where others may lay hands on it, and gets nothing done by us any more */
        bool waits;                 /* for INIT_MSG_GO, once it is ready */
        bool sibling;               /* its processes are children of our parent's, who collects them */
        const char *cgroup_path;    /* the request's */
        uint8_t expected[_INIT_MSG_MAX]; /* how often the plan may still say each thing. By the time that others may speak
                                     * for it, all has been said */
} Launch;

/* How the command line of a helper of this container begins. */
char *launch_command(const char *id, uint64_t mark);

#define LAUNCH_NONE ((Launch){ .pidfd = -EBADF, .control = -EBADF, .later = -EBADF, .answers = { -EBADF, -EBADF }, \
                               .stdio = { -EBADF, -EBADF, -EBADF } })
#define _cleanup_launch_ _cleanup_(launch_done)
/* Closes the descriptors; the process, if it waits for us, sees that and exits. */
void launch_done(Launch *l);

int launch_spawn(const LaunchRequest *request, Launch *ret, Error *reterr);

/* The next message of the helper; *ret_fd is the descriptor that came with it, or -EBADF. With INIT_MSG_PID and
 * INIT_MSG_INSIDE launch->pid and pidfd have changed to the process that goes on. Returns the type, 0 at the end of the
 * stream; INIT_MSG_ERROR becomes an error; -EINTR when we are to wait no longer. */
int launch_receive(Launch *l, InitMessage *ret, int *ret_fd, Error *reterr);
/* The errno of an INIT_MSG_ERROR, which need not be one. */
int launch_error(const InitMessage *m);
int launch_send(Launch *l, InitMessageType type, Error *reterr);
/* Is another process to go on yet, of which all that is said of this one will be true? */
static inline bool launch_changes(const Launch *l) {
        return l->expected[INIT_MSG_INSIDE] > 0;
}

/* When the helper is ready: lets it go, if the plan has it wait for that. wait: until it has executed the program, or is
 * at the gate. */
int launch_release(Launch *l, bool wait, Error *reterr);

/* After the end of the stream: was that no exec? A process that ends before it has the name that the helper gave itself, as
 * long as nobody has reaped it. */
bool launch_ended_as_helper(pid_t pid);

/* Kills what is there and reaps it; what does not die in time is left behind. */
void launch_kill(Launch *l);
