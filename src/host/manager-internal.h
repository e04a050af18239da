/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/manager.h"
#include "host/marshal.h"
#include "host/sd.h"

/* Between the manager*.c files. */

#define SERVICE "org.freedesktop.systemd1"
#define OBJECT "/org/freedesktop/systemd1"
#define INTERFACE "org.freedesktop.systemd1.Manager"
#define OF_UNITS "org.freedesktop.systemd1.Unit"
#define OF_SCOPES "org.freedesktop.systemd1.Scope"

typedef enum JobState { JOB_NONE, JOB_SENT, JOB_QUEUED, JOB_DONE, JOB_FAILED } JobState;

struct Manager {
        sd_bus *bus;
        const char *peer;       /* who is at its other end, in words */
        const Caller *caller;
        bool user;

        /* Since when we wait, and until when if systemd does nothing meanwhile: manager_patience(). */
        uint64_t asked, silent_until;
        pid_t pid;              /* of systemd */
        uint64_t cpu_ticks;     /* that it had used then */

        /* The one job we wait for: of a unit, from the request to JobRemoved. */
        char *unit;
        JobState job;
        char *job_path;
        char *job_result;
        Error job_error;
        char *job_error_name;   /* D-Bus name of the error */
        char *systemd;          /* who has answered, as the bus names it */

        /* What StartTransientUnit was sent with, for sending it again without what this manager refuses. */
        const UnitPlan *plan;
        ScopeProcess process;
        bool *dropped;          /* by index into plan->props */
        bool was_reset;
        bool was_lost;          /* the connection, after the request */
        unsigned tries;

        sd_bus_message **saved; /* by index into plan->props: what it was before, or NULL */
        size_t n_saved;
};

/* Begins a connection, in place of the one that there is; waits for a systemd that is about to come back. */
int manager_connect(Manager *m, Error *reterr);
/* The same after it was lost, and the job is watched again. */
int manager_reconnect(Manager *m, Error *reterr);
/* A systemd that executes itself anew has no name on the bus for a moment, and forgets what it has not answered. Is that
 * what the error says, or the D-Bus name of one? */
bool manager_is_away(int r, const char *name);

/* Until there is something to process, or the deadline. */
int manager_wait(Manager *m, uint64_t deadline);

/* From now on systemd is to answer. */
void manager_expect(Manager *m);
bool manager_is_at_work(const Manager *m);
/* Until when it may be silent; later, each time, if it is seen at work. */
uint64_t manager_patience(Manager *m, uint64_t deadline);
/* It has not. */
int manager_silence(const Manager *m, Error *reterr);

/* What can be asked again. */
typedef struct Question {
        const char *method, *unit, *object, *property;
        const char *below;      /* of the unit, for a process: */
        pid_t pid;
        int (*build)(Manager *m, const struct Question *q, sd_bus_message **ret);
} Question;

/* Until it is answered. The D-Bus error is the caller's to free. */
int manager_ask(Manager *m, const Question *q, sd_bus_message **ret_reply, sd_bus_error *ret_error, Error *reterr);

/* JobRemoved is listened to. */
int manager_watch_jobs(Manager *m, Error *reterr);

/* Before anything that waits for the greeting by itself: synchronous calls, and descriptors in a message. libsystemd
 * would do so for 90 s. */
int manager_wait_ready(Manager *m, Error *reterr);

/* The path of its object: that of its invocation leads to this very unit or to none. For free(). */
char *manager_object(UnitRef unit);
/* A method of the manager's that takes the name of the unit alone. */
int manager_call_for_unit(Manager *m, const char *method, const char *unit, Error *reterr);
/* By the D-Bus name of the error. */
bool manager_is_no_such_unit(const char *name);

/* The plan that is sent, of which nothing has been dropped yet. */
void manager_set_plan(Manager *m, const UnitPlan *plan);

/* "Cannot set property X, or unknown property.": which of ours was it, by the name and the text of the D-Bus error? Its
 * index, or one of these. */
enum { REFUSED_PIDFDS = -1, REFUSED_NONE = -2 };
int manager_refused_property(const UnitPlan *plan, const char *name, const char *text);

/* What manager_save_properties() kept. */
void manager_forget_properties(Manager *m);
