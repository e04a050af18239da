/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "basic/alloc.h"
#include "basic/error.h"

/* Where messages go. Only the top (cli/) calls log_message(LOG_ERROR); everything below returns errors, and may tell
 * its steps by log_info() and log_debug(). */
typedef enum LogLevel { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG } LogLevel;

typedef struct LogSettings {
        LogLevel level;          /* what is less important than this is dropped */
        bool json;               /* in the file: {"level","msg","time"} a line, else text */
        int fd;                  /* the --log file, or -EBADF */
        int errors;              /* where errors go in any case, and all else if nothing else says where */
        int journal;             /* --log=journald:ID, or -EBADF */
        bool syslog;             /* --log=syslog:ID */
        const char *identifier;  /* of the journal or of syslog */
        const char *container;   /* whom it is about, where that is known; or NULL */
        uint64_t begin;          /* now_usec() when we began */
} LogSettings;

/* To begin with: of a level, to that descriptor. */
LogSettings log_to(LogLevel level, int errors);
/* From here on messages of who calls this, a task or the command line, go there, and those of what it spawns. Before that
 * there are none. *log stays the caller's. */
void log_use(const LogSettings *log);

/* "error", "warning" (or "warn"), "info", "debug"; -EINVAL else. */
int log_level_from_string(const char *s);

/* "FILE", "file:FILE", "journald:ID" or "syslog:ID". */
int log_open(LogSettings *log, const char *target, Error *reterr);

/*
 * Writes one line where --log says (to a file by one write(), so that lines of several processes do not mix) or, without
 * it, to stderr, steps with the time since we began. Errors go to stderr in any case: conmon reads that, containerd the
 * file. All else does not, as what a caller with a log finds on stderr it takes for the container's output.
 */
void log_message(LogLevel level, const char *fmt, ...) _printf_(2, 3);

bool log_takes(LogLevel level);

/* Nothing of it is evaluated when it is off. */
#define log_at(at, ...) (log_takes(at) ? log_message((at), __VA_ARGS__) : (void) 0)
#define log_info(...) log_at(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)

/* For "%.1f ms": since then (now_usec()). */
double log_msec_since(uint64_t usec);

/* Of very many the first: who reads the other end may wait for our end. */
void log_warnings(const Strings *list);
