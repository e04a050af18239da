/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

#include "host/caller.h"
#include "host/sd.h"

/* The way to systemd. Both begin to connect and return; sd_load() comes first. */

/* *ret_peer: who is at the other end. */
int bus_connect_system(sd_bus **ret, const char **ret_peer, Error *reterr);

/* That of the user who we are, seen from outside of our user namespace. The error says what is missing:
 * XDG_RUNTIME_DIR, a session or lingering, the manager. */
int bus_connect_user(const Caller *caller, sd_bus **ret, const char **ret_peer, Error *reterr);

/* Is the first process of the machine, or of the system container that we are in, a systemd that our user is root for? */
bool bus_system_is_ours(void);

/* XDG_RUNTIME_DIR, or what it is where somebody dropped it from the environment, as long as that belongs to us;
 * NULL: there is none. The caller frees it. */
char *user_runtime_directory(const Caller *caller);

/* "WHAT: XDG_RUNTIME_DIR is not set and …": what is missing where there is none, and what to do. */
int user_runtime_directory_error(const char *what, Error *reterr);
