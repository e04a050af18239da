/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

#include "basic/error.h"

/* Where messages go. Only the top (cli/) calls log_message(LOG_ERROR); everything below returns errors. */
typedef enum LogLevel { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG } LogLevel;

typedef struct LogSettings {
        LogLevel level;     /* what is less important than this is dropped */
        bool json;          /* in the file: {"level","msg","time"} a line, else text */
        int fd;             /* the --log file, or -EBADF */
} LogSettings;

extern LogSettings log_settings;

/* "error", "warning" (or "warn"), "info", "debug"; -EINVAL else. */
int log_level_from_string(const char *s);

/*
 * Writes one line to stderr and, when there is a --log file, one line there (one write(), so that lines of
 * several processes do not mix). Errors always go to both: conmon reads stderr, containerd the file.
 */
void log_message(LogLevel level, const char *fmt, ...) _printf_(2, 3);
#define log_debug(...) \
        (log_settings.level >= LOG_DEBUG ? log_message(LOG_DEBUG, __VA_ARGS__) : (void) 0)
