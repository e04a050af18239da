/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Calls for a unit that make no job: systemd's answer is the end of it. */
#include <errno.h>

#include "basic/alloc.h"
#include "basic/str.h"
#include "host/manager-internal.h"
#include "host/process.h"

#define UNITS "/org/freedesktop/systemd1/unit"

bool manager_is_no_such_unit(const char *name) {
        return streq_null(name, "org.freedesktop.systemd1.NoSuchUnit") ||
               streq_null(name, "org.freedesktop.systemd1.NoUnitForInvocationID");
}

char *manager_object(UnitRef unit) {
        char *path;

        if (unit.invocation)
                return xasprintf(UNITS "/%s", unit.invocation);
        if (sd.bus_path_encode(UNITS, unit.name, &path) < 0)
                oom();
        return path;
}

/* Of the manager, for the unit of that name. */
static int build_call(Manager *m, const Question *q, sd_bus_message **ret) {
        int r = sd.bus_message_new_method_call(m->bus, ret, SERVICE, OBJECT, INTERFACE, q->method);

        return r < 0 ? r : sd.bus_message_append(*ret, "s", q->unit);
}

/* Of the unit itself. */
static int build_unit_call(Manager *m, const Question *q, sd_bus_message **ret) {
        const char *interface = q->below ? OF_SCOPES : OF_UNITS;
        int r = sd.bus_message_new_method_call(m->bus, ret, SERVICE, q->object, interface, q->method);

        return r < 0 || !q->below ? r : sd.bus_message_append(*ret, "sau", q->below, 1, (uint32_t) q->pid);
}

/* It is being stopped, say. */
static bool is_busy(const char *name) {
        return streq_null(name, "org.freedesktop.systemd1.UnitBusy");
}

/* Nothing of the reply is needed. -EAGAIN when a job of the unit's is in the way. */
static int call(Manager *m, const Question *q, Error *reterr) {
        sd_bus_error e = SD_BUS_ERROR_NULL;
        int r = manager_ask(m, q, NULL, &e, reterr);

        if (r < 0)
                r = error_setf(reterr, r == -ETIMEDOUT ? ETIMEDOUT : is_busy(e.name) ? EAGAIN : EREMOTEIO,
                               "systemd refused %s of %s: %s", q->method, q->unit, e.message ?: errno_text(r));
        sd.bus_error_free(&e);
        return r;
}

int manager_call_for_unit(Manager *m, const char *method, const char *unit, Error *reterr) {
        const Question q = { .method = method, .unit = unit, .build = build_call };

        return call(m, &q, reterr);
}

static int runs_nothing_else(sd_bus_message *reply, const char *command) {
        const char *cgroup, *line;
        ProcessStat stat;
        uint32_t pid;
        int r;

        r = sd.bus_message_enter_container(reply, 'a', "(sus)");
        while (r >= 0 && (r = sd.bus_message_read(reply, "(sus)", &cgroup, &pid, &line)) > 0)
                /* Of one that is ending the command line cannot be read. */
                if (!startswith(line, command) && process_stat((pid_t) pid, &stat) == 0 && !stat.dead)
                        return 0;
        return r < 0 ? r : 1;
}

int manager_unit_runs_only(Manager *m, const char *unit, const char *command, Error *reterr) {
        const Question q = { .method = "GetUnitProcesses", .unit = unit, .build = build_call };
        sd_bus_error e = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        int r;

        r = manager_ask(m, &q, &reply, &e, reterr);
        if (r >= 0)
                r = runs_nothing_else(reply, command);
        else if (manager_is_no_such_unit(e.name))
                r = 0;
        else
                r = error_setf(reterr, EREMOTEIO, "cannot list the processes of %s: %s", unit, e.message ?: errno_text(r));
        sd.bus_error_free(&e);
        (void) sd.bus_message_unref(reply);
        return r;
}

int manager_freeze_unit(Manager *m, UnitRef unit, bool freeze, Error *reterr) {
        _cleanup_free_ char *object = manager_object(unit);
        const Question q = { .method = freeze ? "Freeze" : "Thaw", .unit = unit.name, .object = object,
                             .build = build_unit_call };

        return call(m, &q, reterr);
}

int manager_attach_process(Manager *m, UnitRef unit, const char *below, pid_t pid, Error *reterr) {
        _cleanup_free_ char *object = manager_object(unit);
        const Question q = { .method = "AttachProcesses", .unit = unit.name, .object = object, .below = below, .pid = pid,
                             .build = build_unit_call };

        return call(m, &q, reterr);
}
