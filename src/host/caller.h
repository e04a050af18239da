/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

#include "basic/log.h"
#include "plan/facts.h"

/*
 * Who calls a verb. The command line finds that about itself; nothing below it looks at the environment, at descriptors 0 to 2
 * or at credentials as the caller's, which in a service would be its own. Lives as long as what is done for him.
 */
typedef struct Caller {
        uint32_t uid;                    /* the owner of what he makes */
        int stdio[3];                    /* what becomes 0, 1 and 2 of a process, and what a terminal is served by */
        const char *const *environment;  /* of hooks that have none of their own */
        const char *runtime_directory;   /* XDG_RUNTIME_DIR, or NULL: where his systemd is, and his containers */
        const char *bus_address;         /* DBUS_SESSION_BUS_ADDRESS, or NULL */
        bool is_service;                 /* systemd has executed just us (SYSTEMD_EXEC_PID) */
        const char *notify_socket;       /* NOTIFY_SOCKET: whom containers may tell that they are ready; or NULL */
        const char *credentials;         /* CREDENTIALS_DIRECTORY, or NULL */
        uint32_t listen_fds;             /* of socket activation (sd_listen_fds(3)): as many from descriptor 3 on */
        const char *listen_fd_names;     /* or NULL */
} Caller;

/* What every verb is called with. */
typedef struct Runtime {
        const char *root;        /* --root, absolute */
        Caller caller;
        LogSettings *log;        /* where messages go: for log_use(), by who calls */
        HostFacts facts;
} Runtime;
