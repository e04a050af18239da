/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/error.h"
#include "host/lock.h"
#include "host/unit-ref.h"
#include "plan/launch/record.h"
#include "plan/status.h"

/*
 * Where containers are remembered: a directory a container below the root directory (--root), with
 *   record       what we know (host/record.h)
 *   config.json  as it was at create: later changes in the bundle have no effect
 *   exit, failure   of its last start: end.h
 *   gate         the socket on which init waits for `start`; gone once the container was started
 * The directory itself is the lock (flock): exclusive for verbs that change the container.
 */
typedef struct Store {
        const Caller *caller;
        char *path;
        int fd;
} Store;

#define _cleanup_store_ _cleanup_(store_done)
void store_done(Store *s);

/* Opens the root directory, made (0700) when it is missing and create is set. Without create, a missing one is
 * an empty store. */
int store_open(const char *path, const Caller *caller, bool create, Store *ret, Error *reterr);

/* Ids of all containers, sorted; NULL-terminated, from a. */
int store_list(const Store *s, Arena *a, char ***ret, Error *reterr);

typedef struct Container {
        const Caller *caller;
        char *id;
        int dir;          /* its directory; locked when locked is set */
        bool locked;
        bool found_lock;  /* somebody else holds the lock (only when not locked by us) */
        Record record;    /* zeroed when there was none (a create died before writing it) */
        bool has_record;
        bool damaged;     /* there is one, but nobody can read it */
        bool never_record; /* and it does not begin as ours do */
        Spec *config;     /* of container_read_config() */
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

/* Removes the directory and everything in it. */
int container_remove(Container *c, Error *reterr);

/* What it is doing now, from the record, its process, its gate and its cgroup. */
Status container_status(const Container *c);

/* A number that tells it from a container of the same id below another root directory. */
uint64_t container_mark(const Container *c);

/* Not a record from before a reboot, of which nothing runs any more? */
bool container_is_of_this_boot(const Container *c);

/* The cgroup that create put its process in, and no other: at its path there may be that of somebody else's unit of the
 * same name by now. -ENOENT: it is gone, or there never was one. */
int container_open_cgroup(const Container *c);
/* The number of that, if it is not in the record, as with version 0.1.0: so that a verb finds it after the end of its process,
 * too. */
void container_note_cgroup(Container *c);
/* The InvocationID that the unit of its record has now; for free(), or NULL. */
char *container_unit_invocation(const Container *c);
/* The same for who cannot do without: "cannot DO container ID: …". */
int container_need_cgroup(const Container *c, const char *what, Error *reterr);

/* A pidfd of its init; -ESRCH. */
int container_open_init(const Container *c);

/* For r, a failure in the middle of something: was it the end of the container that was in the way? Then it says that:
 * "cannot DO container ID: container not running". */
int container_blame_end(const Container *c, const char *what, int r, Error *reterr);

/* Makes the socket its gate. Who waits there has made it and listens, as a socket tells where it was made and who called
 * listen(2). */
int container_bind_gate(const Container *c, int socket, Error *reterr);
