/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/manager.h"
#include "host/sd.h"

/* The connection, for those who talk over it: jobs, and calls for units. */

#define MANAGER_OBJECT "/org/freedesktop/systemd1"
#define MANAGER_INTERFACE "org.freedesktop.systemd1.Manager"
#define UNIT_INTERFACE "org.freedesktop.systemd1.Unit"

/* A method call, as it is sent, and sent again when the connection is lost before the answer. */
typedef struct Question {
        const char *object, *interface, *method;
        int (*append)(sd_bus_message *message, const void *arguments); /* NULL: there are none */
        const void *arguments;
} Question;

/* Until it is answered. The D-Bus error is the caller's to free. */
int manager_ask(Manager *m, const Question *q, sd_bus_message **ret_reply, sd_bus_error *ret_error, Error *reterr);

/* Sends it, over a new connection if the old one was lost; the callback gets the answer. */
int manager_send(Manager *m, const Question *q, sd_bus_message_handler_t callback, void *userdata, sd_bus_slot **ret,
                 Error *reterr);
/* Is it a user's systemd? */
bool manager_is_users(const Manager *m);
/* From now on systemd is to answer. */
void manager_expect(const Manager *m, Patience *p);
/* It has not. */
int manager_silence(const Manager *m, Error *reterr);

/* Takes in what has come. That the connection is lost is no error: who waits for a job is told so. */
int manager_process(Manager *m);
/* Until there is something to take in, or the deadline. */
int manager_wait(const Manager *m, uint64_t deadline);

/* A systemd that executes itself anew has no name on the bus for a moment, and forgets what it has not answered. Is that
 * what the error says, or the D-Bus name of one? */
bool manager_is_away(int r, const char *name);
/* Then this connection leads to it no more. Who waits for a job is told so. */
void manager_lose(Manager *m);

/* From now on the job is told of its end, and of the loss of the connection. It begins with what is sent next. */
void manager_add_job(Manager *m, Job *job);
void manager_remove_job(Manager *m, Job *job);
