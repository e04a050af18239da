/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "basic/str.h"

LogSettings log_settings = { .level = LOG_ERROR, .fd = -EBADF };

static const char *const level_names[] = {
        [LOG_ERROR] = "error", [LOG_WARNING] = "warning", [LOG_INFO] = "info", [LOG_DEBUG] = "debug",
};

int log_level_from_string(const char *s) {
        for (unsigned i = 0; i < ELEMENTSOF(level_names); i++)
                if (streq(s, level_names[i]))
                        return (int) i;
        return streq(s, "warn") ? LOG_WARNING : -EINVAL;
}

static void write_log_file(LogLevel level, const char *text) {
        _cleanup_text_ Text line = {};
        time_t now = time(NULL);
        char stamp[64] = "";
        struct tm tm;

        if (gmtime_r(&now, &tm))
                strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", &tm);
        if (log_settings.json) {
                text_addf(&line, "{\"level\":\"%s\",\"msg\":", level_names[level]);
                text_add_json_string(&line, text);
                text_addf(&line, ",\"time\":\"%s\"}\n", stamp);
        } else {
                text_addf(&line, "time=\"%s\" level=%s msg=", stamp, level_names[level]);
                text_add_json_string(&line, text);
                text_add(&line, "\n");
        }
        (void) write_full(log_settings.fd, line.s, line.n);
}

void log_message(LogLevel level, const char *fmt, ...) {
        _cleanup_free_ char *text = NULL;
        _cleanup_text_ Text line = {};
        va_list ap;

        if (level > log_settings.level)
                return;
        va_start(ap, fmt);
        if (vasprintf(&text, fmt, ap) < 0)
                oom();
        va_end(ap);
        text_addf(&line, "ocirt-sd: %s", level == LOG_WARNING ? "warning: " : "");
        text_add_printable(&line, text);
        text_add(&line, "\n");
        (void) write_full(STDERR_FILENO, line.s, line.n);
        if (log_settings.fd >= 0)
                write_log_file(level, text);
}
