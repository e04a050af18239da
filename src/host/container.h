/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/lock.h"
#include "host/store.h"
#include "plan/launch/record.h"

/*
 * One container: its directory in the store, with
 *   record       what we know (plan/launch/record.h)
 *   config.json  as it was at create: later changes in the bundle have no effect
 *   exit, failure   of its last start (end.h)
 *   gate         the socket on which init waits for `start`; gone once the container was started (gate.h)
 *   sessions     a directory of further processes that systemd collects (session.h)
 * The directory itself is the lock (flock): exclusive for verbs that change the container.
 */
typedef struct Container {
        const Caller *caller;
        char *id;
        char *of;          /* it is a session, of this container (session.h); or NULL */
        int dir;           /* its directory; locked when locked is set */
        bool locked;
        bool found_lock;   /* somebody else holds the lock (only when not locked by us) */
        Record record;     /* zeroed when there was none (a create died before writing it) */
        bool has_record;
        bool of_this_boot; /* else nothing that the record speaks of runs or is mounted any more */
        bool damaged;      /* there is a record, but nobody can read it */
        bool never_record; /* and it does not begin as ours do */
        Spec *config;      /* of container_read_config() */
} Container;

#define _cleanup_container_ _cleanup_(container_done)
void container_done(Container *c);

/* Whether container_create() would be refused because of the id: for who wants to know before it costs anything. */
int container_check_new(const Store *s, const char *id, Error *reterr);

/* A new, empty, locked container directory. -EEXIST: "container with given ID already exists". */
int container_create(const Store *s, const char *id, Container *ret, Error *reterr);

/* An existing one; with its lock for verbs that change something. -ENOENT: "container does not exist". */
int container_open(const Store *s, const char *id, LockMode lock, Container *ret, Error *reterr);

/* Lets other verbs change it. */
void container_unlock(Container *c);

/* Writes the record, at once or not at all. */
int container_save(Container *c, Error *reterr);

/* The copy of config.json, read once; c's. */
int container_read_config(Container *c, Spec **ret, Error *reterr);
/* For a record of version 1: what one of today has of config.json is read from the copy. */
int container_complete(Container *c, Error *reterr);

/* The name of the directory of its sessions. */
#define CONTAINER_SESSIONS "sessions"

/* Removes the directory and everything in it. */
int container_remove(Container *c, Error *reterr);

/* A number that tells it from a container of the same id below another root directory. */
uint64_t container_mark(const Container *c);
