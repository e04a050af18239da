/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

/* The container's status (runtime.md) as a pure function of what can be seen from outside. */
typedef enum Status { STATUS_CREATING, STATUS_CREATED, STATUS_RUNNING, STATUS_PAUSED, STATUS_STOPPED } Status;

typedef struct StatusFacts {
        bool committed;   /* the record says that create succeeded */
        bool alive;       /* its init exists: same boot, same pid, same start time, not a zombie */
        bool creating;    /* somebody holds the container's lock for a create that goes on */
        bool gated;       /* its init waits for `start` */
        bool frozen;      /* its cgroup is frozen, by us or by systemctl */
} StatusFacts;

Status status_derive(const StatusFacts *facts);
const char *status_name(Status status); /* "creating", … */
