/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "host/caller.h"
#include "host/patience.h"

/*
 * A connection to systemd (org.freedesktop.systemd1(5)): the system manager, or the user's. Every wait has a
 * deadline (µs on CLOCK_MONOTONIC). Errors of systemd come out as -EREMOTEIO with its own words, -ETIMEDOUT when
 * it did not answer in time.
 */
typedef struct Manager Manager;

/* Long enough for a manager with thousands of units to reload, short enough to end. */
#define MANAGER_TIMEOUT_USEC (30 * 1000000ULL)

/* Starts to connect and returns at once. For the user's manager the error says what is missing. */
int manager_open(const Caller *caller, bool user, Manager **ret, Error *reterr);
/* Who still waits for a job then hears nothing of it any more. */
Manager *manager_close(Manager *m);
#define _cleanup_manager_ _cleanup_(manager_closep)
static inline void manager_closep(Manager **m) {
        (void) manager_close(*m);
}

/* For poll(), by who has something else to wait for besides. */
int manager_poll_fd(const Manager *m);
short manager_poll_events(const Manager *m);

/* A job of systemd's, held by who waits for it. Any number of them share a connection, but tasks of a loop do not: what one
 * of them reads wakes no other. */
typedef struct Job {
        Manager *manager;            /* NULL: it waits for nothing */
        struct Job *next;            /* on the same connection */
        struct sd_bus_slot *request; /* that is to be answered */
        Patience patience;           /* with systemd, until then */
        char *path;                  /* of the job's object, by the answer */
        char *systemd;               /* who has answered, as the bus names it */
        char *refusal, *words;       /* the name and the text of a D-Bus error, if that was the answer */

        /* What the connection tells. */
        char *result;                /* of JobRemoved */
        bool lost;                   /* the connection, before that */
} Job;
