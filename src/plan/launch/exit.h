/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/alloc.h"
#include "basic/str.h"

/*
 * How a container's process ended, in systemd's words (systemd.exec(5), $SERVICE_RESULT, $EXIT_CODE, $EXIT_STATUS), as
 * who saw it writes it down: who is called by systemd when the service has ended, or a `run` in the foreground. A file of
 * its own beside the record, which only who has the container's lock may write.
 */
typedef struct Exit {
        const char *result;     /* "success", "exit-code", "signal", "core-dump", "watchdog", "timeout", "oom-kill", … */
        const char *code;       /* "exited", "killed", "dumped"; NULL: no process of its own had begun */
        const char *status;     /* "3", or of a signal "TERM"; NULL with code */
        const char *time;       /* RFC 3339 */
        const char *invocation; /* InvocationID of the start that it is the end of; or NULL */
        const char *request;    /* "stop" or "restart", if that had been asked of systemd, by whom ever; or NULL */
} Exit;

/* As waitpid(2) has it; in a. */
Exit exit_from_wait(int status, Arena *a);
/* As a unit says it: Result, ExecMainCode (CLD_EXITED and its like; 0: there was no process) and ExecMainStatus; in a. */
Exit exit_from_unit(const char *result, int code, int status, Arena *a);
/* As a shell would report it: 0 to 255, or 128 and the number of the signal; -ENODATA: it is not known. */
int exit_status(const Exit *e);
int exit_status_of_wait(int status);

/* Its exit status, or -ENODATA: it ended by a signal, which *ret_signal names ("TERM"; else NULL), or nothing is known. */
int exit_code(const Exit *e, const char **ret_signal);
/* Why, in one word: systemd's for the result, or "stopped" where that was what had been asked for. */
const char *exit_reason(const Exit *e);

void exit_encode(const Exit *e, Text *ret);
/* Strings in a. -EBADMSG. Changes bytes. */
int exit_decode(char *bytes, Arena *a, Exit *ret);
