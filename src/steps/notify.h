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
        int inside;     /* where what the container sends comes; -EBADF: nothing comes any more */
        int outside;    /* connected to $NOTIFY_SOCKET; -EBADF: there is nobody to hear it */
        bool ready;     /* READY=1 has passed */
        pid_t receiver; /* the child of ours by which it comes */
} Notify;

#define NOTIFY_NONE ((Notify){ .inside = -EBADF, .outside = -EBADF })
#define _cleanup_notify_ _cleanup_(notify_done)
void notify_done(Notify *n);

/* Is there somebody to notify? Not if the bundle has seen to it: process.env has the variable. */
bool notify_is_wanted(const Caller *caller, const SpecProcess *process);
/* Takes the socket that the container sends to. */
void notify_begin(const Caller *caller, int socket, Notify *ret);

/* What notify_begin() is made of, for who does not have that socket yet: as fork(), and -errno. In the child nothing is open
 * but 0, which comes out at `inside`, and 1, which was given to it. */
int notify_fork(const Caller *caller, int given, Notify *ret);
/* In there: passes on what comes to the socket, and closes what is above it. */
_noreturn_ void notify_receive(int socket);

/* For us, as who is called by systemd: says that, and returns when it has been read. */
int notify_tell(const Caller *caller, const char *text, Error *reterr);

/* Passes on what is there. main_pid: who is the service's main process from READY=1 on, or 0: we stay it. */
void notify_pass(Notify *n, pid_t main_pid);
/* The rest, when the process has ended. */
void notify_finish(Notify *n, pid_t main_pid);
/* For who does not stay: until READY=1 or the end of the process (pidfd -EBADF: it has ended), which may take as long as it
 * likes. */
void notify_wait(Notify *n, pid_t pid, int pidfd);
