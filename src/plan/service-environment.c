/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/service-environment.h"

#include "basic/str.h"

/* systemd.exec(5), "Environment Variables Set or Propagated by the Service Manager". */
static const char *const of_systemd[] = {
        "HOME", "LOGNAME", "SHELL", "TERM", "USER",                                                /* of the host's user */
        "CACHE_DIRECTORY", "CONFIGURATION_DIRECTORY", "CREDENTIALS_DIRECTORY", "LOGS_DIRECTORY",   /* of its directories */
        "PIDFILE", "RUNTIME_DIRECTORY", "STATE_DIRECTORY",                                         /* the same */
        "FDSTORE", "LISTEN_FDNAMES", "LISTEN_FDS", "LISTEN_PID", "LISTEN_PIDFDID", "MAINPID",      /* and else of us, */
        "MAINPIDFDID", "MANAGERPID", "MANAGERPIDFDID", "NOTIFY_SOCKET", "SYSTEMD_EXEC_PID",        /* who were called */
        "DEBUG_INVOCATION", "INVOCATION_ID", "JOURNAL_STREAM", "LOG_NAMESPACE", "REMOTE_ADDR",     /* in that way */
        "REMOTE_PORT", "MEMORY_PRESSURE_WATCH", "MEMORY_PRESSURE_WRITE", "TRIGGER_PATH",           /* for that reason */
        "TRIGGER_TIMER_MONOTONIC_USEC", "TRIGGER_TIMER_REALTIME_USEC", "TRIGGER_UNIT",             /* by others */
        "WATCHDOG_PID", "WATCHDOG_USEC", NULL,                                                     /* and are watched */
};

static bool has(const char *const *list, const char *s, size_t n) {
        for (; *list; list++)
                if (strncmp(*list, s, n) == 0 && (*list)[n] == '\0')
                        return true;
        return false;
}

/* What a file says (EnvironmentFile=) nobody tells us: it is what systemd does not have of itself. */
static bool is_of_unit(const ServiceVariables *v, const char *variable) {
        size_t name = strcspn(variable, "="), all = strlen(variable);

        if (name == 0 || name == all)
                return false;
        return has(v->unit, variable, all) || has(v->passed, variable, name) ||
               (!has(of_systemd, variable, name) && !has(v->manager, variable, all));
}

const char **service_environment_select(Arena *a, const ServiceVariables *v) {
        Strings selected = {};

        for (const char *const *one = v->all; *one; one++)
                if (is_of_unit(v, *one))
                        strings_add(a, &selected, arena_strdup(a, *one));
        return selected.s;
}
