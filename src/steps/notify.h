/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <errno.h>
#include <sys/types.h>

#include "host/caller.h"
#include "oci/spec.h"

/*
 * sd_notify(3) from inside a container, for the service that we are called by (HACKING, "Notifications pass through
 * us"). The helper makes a socket for it in a file system that the container has alone, at /run/notify; run and start are
 * given it and pass on what says how the service is, and nothing that tells systemd to do something: no MAINPID=, no
 * FDSTORE=1.
 */
typedef struct Notify {
        int inside;     /* what the container sends to; -EBADF: there is nothing to pass on, or nobody to hear it */
        int outside;    /* connected to $NOTIFY_SOCKET */
        bool ready;     /* READY=1 has passed */
        pid_t closer;   /* closes descriptors that come with messages; 0: there is none */
        int word;       /* to it */
} Notify;

#define NOTIFY_NONE ((Notify){ .inside = -EBADF, .outside = -EBADF, .word = -EBADF })
#define _cleanup_notify_ _cleanup_(notify_done)
void notify_done(Notify *n);

/* Is there somebody to notify? Not if the bundle has seen to it: process.env has the variable. */
bool notify_is_wanted(const Caller *caller, const SpecProcess *process);
/* Takes the socket. Without one (-EBADF), or when nobody listens outside, there is nothing to do. */
void notify_begin(const Caller *caller, int inside, Notify *ret);

/* For us, as who is called by systemd: says that, and returns when it has been read. */
int notify_tell(const Caller *caller, const char *text, Error *reterr);

/* Passes on what is there. main_pid: who is the service's main process from READY=1 on, or 0: we stay it. */
void notify_pass(Notify *n, pid_t main_pid);
/* For who does not stay: until READY=1 or the end of the process (pidfd -EBADF: it has ended), which may take as long as it
 * likes. */
void notify_wait(Notify *n, pid_t pid, int pidfd);
