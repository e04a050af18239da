/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "basic/file.h"
#include "basic/journal.h"
#include "basic/loop.h"
#include "basic/moment.h"
#include "basic/str.h"

#define WARNINGS_MAX 16U

LogSettings log_to(LogLevel level, int errors) {
        return (LogSettings){ .level = level, .fd = -EBADF, .journal = -EBADF, .errors = errors, .begin = now_usec() };
}

void log_use(const LogSettings *log) {
        loop_local()->log = log;
}

bool log_takes(LogLevel level) {
        const LogSettings *log = loop_local()->log;

        return log && level <= log->level;
}

static const char *const level_names[] = {
        [LOG_ERROR] = "error", [LOG_WARNING] = "warning", [LOG_INFO] = "info", [LOG_DEBUG] = "debug",
};

int log_level_from_string(const char *s) {
        for (unsigned i = 0; i < ELEMENTSOF(level_names); i++)
                if (streq(s, level_names[i]))
                        return (int) i;
        return streq(s, "warn") ? LOG_WARNING : -EINVAL;
}

/* syslog(3) has names of its own for these. */
static const int priorities[] = { [LOG_ERROR] = 3, [LOG_WARNING] = 4, [LOG_INFO] = 6, [LOG_DEBUG] = 7 };

int log_open(LogSettings *log, const char *target, Error *reterr) {
        const char *path = startswith(target, "file:") ?: target, *identifier;

        if ((identifier = startswith(target, "journald:"))) {
                log->journal = journal_open();
                if (log->journal < 0)
                        return error_errnof(reterr, log->journal, "--log: cannot reach the journal");
        } else if ((identifier = startswith(target, "syslog:")))
                log->syslog = true;
        if (streq(target, "journald") || streq(target, "syslog"))
                return error_setf(reterr, EINVAL, "--log: expected %s:ID, got \"%s\" (a file of that name is ./%s)", target,
                                  target, target);
        if (identifier) {
                log->identifier = isempty(identifier) ? "ocirt-sd" : identifier;
                if (log->syslog)
                        syslog_open(log->identifier);
                return 0;
        }
        log->fd = open_append(path, 0644, reterr);
        if (log->fd < 0)
                return error_prefixf(reterr, "cannot open the log file %s", path);
        /* A line that a FIFO has no room for is lost: who does not read his keeps nobody from stopping a container. */
        (void) fcntl(log->fd, F_SETFL, O_APPEND | O_NONBLOCK);
        return 0;
}

double log_msec_since(uint64_t usec) {
        return (double) (now_usec() - usec) / 1000;
}

static void write_log_file(const LogSettings *log, LogLevel level, const char *text) {
        _cleanup_text_ Text line = {}, stamp = {};

        text_add_now(&stamp, log->level >= LOG_DEBUG ? 6 : 0); /* where the order of steps matters */
        if (log->json) {
                text_addf(&line, "{\"level\":\"%s\",\"msg\":", level_names[level]);
                text_add_json_string(&line, text);
                text_addf(&line, ",\"time\":\"%s\"}\n", stamp.s);
        } else {
                text_addf(&line, "time=\"%s\" level=%s msg=", stamp.s, level_names[level]);
                text_add_json_string(&line, text);
                text_add(&line, "\n");
        }
        (void) write_full(log->fd, line.s, line.n);
}

static void write_stderr(const LogSettings *log, LogLevel level, const char *text) {
        _cleanup_text_ Text line = {};

        text_addf(&line, "ocirt-sd: %s", level == LOG_WARNING ? "warning: " : "");
        if (level >= LOG_INFO)
                text_addf(&line, "%7.3f ms: ", log_msec_since(log->begin));
        text_add_printable(&line, text);
        text_add(&line, "\n");
        (void) write_full(log->errors, line.s, line.n);
}

void log_message(LogLevel level, const char *fmt, ...) {
        const LogSettings *log = loop_local()->log;
        _cleanup_free_ char *text = NULL;
        va_list ap;

        if (!log_takes(level))
                return;
        va_start(ap, fmt);
        text = xvasprintf(fmt, ap);
        va_end(ap);
        if (level == LOG_ERROR || (log->fd < 0 && log->journal < 0 && !log->syslog))
                write_stderr(log, level, text);
        if (log->fd >= 0)
                write_log_file(log, level, text);
        if (log->journal >= 0)
                journal_send(log->journal, priorities[level], log->identifier, log->container, text);
        if (log->syslog)
                syslog_send(priorities[level], text);
}

void log_warnings(const Strings *list) {
        for (size_t i = 0; i < MIN(list->n, WARNINGS_MAX); i++)
                log_message(LOG_WARNING, "%s", list->s[i]);
        if (list->n > WARNINGS_MAX)
                log_message(LOG_WARNING, "and %zu more warnings", list->n - WARNINGS_MAX);
}
