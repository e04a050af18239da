/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/container.h"

/*
 * A session: one more process in a supervised container, which systemd collects (HACKING, "Sessions"). It is remembered as a
 * container is, by a directory of its own in that of the container:
 *   record       of the process, and of the unit that collects it; the lock is the same
 *   request      what is to be run, for who is called by systemd (runtime/session-request.h)
 *   exit, failure   how it ended (end.h)
 */

/* Letters, digits and "_.-", no digit at the beginning: a number is a pid. */
bool session_name_is_valid(const char *name);

/* Of this container: a store in which each session is what a container is in another. create: made when it is missing; else
 * a missing one is an empty store. */
int session_store_open(const Container *c, bool create, Store *ret, Error *reterr);

/* A new one, locked and empty. EEXIST: "container ID has a session NAME already". */
int session_create(const Store *s, const char *id, const char *name, Container *ret, Error *reterr);

/* One that there is. ENXIO: "container ID has no session NAME". */
int session_open(const Store *s, const char *id, const char *name, LockMode lock, Container *ret, Error *reterr);
/* The same by a word of the caller's: its name, or, if that is a number, the pid that its process has or had; of several the
 * one that was begun last. */
int session_find(const Container *c, const char *word, LockMode lock, Container *ret, Error *reterr);
