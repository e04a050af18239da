/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/manager.h"
#include "host/marshal.h"
#include "host/sd.h"

/* Between the manager*.c files. */

#define SERVICE "org.freedesktop.systemd1"
#define OBJECT "/org/freedesktop/systemd1"
#define INTERFACE "org.freedesktop.systemd1.Manager"

typedef enum JobState { JOB_NONE, JOB_SENT, JOB_QUEUED, JOB_DONE, JOB_FAILED } JobState;

struct Manager {
        sd_bus *bus;
        bool user;

        /* The one job we wait for: of a unit, from the request to JobRemoved. */
        char *unit;
        JobState job;
        char *job_path;
        char *job_result;
        Error job_error;
        char *job_error_name;   /* D-Bus name of the error */

        /* What StartTransientUnit was sent with, for sending it again without what this manager refuses. */
        const UnitPlan *plan;
        ScopeProcess process;
        bool *dropped;          /* by index into plan->props */
        bool was_reset;
        unsigned tries;

        sd_bus_message **saved; /* by index into plan->props: what it was before, or NULL */
        size_t n_saved;
};

/* Begins a connection, in place of the one that there is. */
int manager_connect(Manager *m, Error *reterr);

/* Before anything that waits for the greeting by itself: synchronous calls, and descriptors in a message. libsystemd
 * would do so for 90 s. */
int manager_wait_ready(Manager *m, Error *reterr);

/* The plan that is sent, of which nothing has been dropped yet. */
void manager_set_plan(Manager *m, const UnitPlan *plan);

/* "Cannot set property X, or unknown property.": which of ours was it, by the name and the text of the D-Bus error? Its
 * index, or -1: PIDFDs, or -2. */
int manager_refused_property(const UnitPlan *plan, const char *name, const char *text);

/* What manager_save_properties() kept. */
void manager_forget_properties(Manager *m);
