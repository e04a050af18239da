/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/unit-calls.h"

#include <errno.h>

#include "basic/alloc.h"
#include "basic/str.h"
#include "host/manager-internal.h"
#include "host/process.h"

#define UNITS "/org/freedesktop/systemd1/unit"

bool unit_is_unknown(const char *name) {
        return streq_null(name, "org.freedesktop.systemd1.NoSuchUnit") ||
               streq_null(name, "org.freedesktop.systemd1.NoUnitForInvocationID");
}

char *unit_object(UnitRef unit) {
        char *path;

        if (unit.invocation)
                return xasprintf(UNITS "/%s", unit.invocation);
        if (sd.bus_path_encode(UNITS, unit.name, &path) < 0)
                oom();
        return path;
}

const char *unit_interface(const char *name) {
        return endswith(name, ".service") ? "org.freedesktop.systemd1.Service" : "org.freedesktop.systemd1.Scope";
}

static int append_name(sd_bus_message *message, const void *name) {
        return sd.bus_message_append(message, "s", (const char *) name);
}

/* It is being stopped, say. */
static bool is_busy(const char *name) {
        return streq_null(name, "org.freedesktop.systemd1.UnitBusy");
}

/* Nothing of the reply is needed. */
static int call(Manager *m, const Question *q, const char *unit, Error *reterr) {
        _cleanup_bus_error_ sd_bus_error e = SD_BUS_ERROR_NULL;
        int r = manager_ask(m, q, NULL, &e, reterr), code = r == -ETIMEDOUT ? ETIMEDOUT : EREMOTEIO;

        if (r == 0)
                return 0;
        return error_setf(reterr, is_busy(e.name) ? EAGAIN : code, "systemd refused %s of %s: %s", q->method, unit,
                          e.message ?: errno_text(r));
}

int manager_reset_failed(Manager *m, const char *unit, Error *reterr) {
        const Question q = { MANAGER_OBJECT, MANAGER_INTERFACE, "ResetFailedUnit", append_name, unit };

        return call(m, &q, unit, reterr);
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
        const Question q = { MANAGER_OBJECT, MANAGER_INTERFACE, "GetUnitProcesses", append_name, unit };
        _cleanup_bus_error_ sd_bus_error e = SD_BUS_ERROR_NULL;
        _cleanup_message_ sd_bus_message *reply = NULL;
        int r;

        r = manager_ask(m, &q, &reply, &e, reterr);
        if (r >= 0)
                return runs_nothing_else(reply, command);
        if (unit_is_unknown(e.name))
                return 0;
        return error_setf(reterr, EREMOTEIO, "cannot list the processes of %s: %s", unit, e.message ?: errno_text(r));
}

int manager_freeze_unit(Manager *m, UnitRef unit, bool freeze, Error *reterr) {
        _cleanup_free_ char *object = unit_object(unit);
        const Question q = { .object = object, .interface = UNIT_INTERFACE, .method = freeze ? "Freeze" : "Thaw" };

        return call(m, &q, unit.name, reterr);
}

typedef struct Attachment {
        const char *below;
        pid_t pid;
} Attachment;

static int append_attachment(sd_bus_message *message, const void *arguments) {
        const Attachment *a = arguments;

        return sd.bus_message_append(message, "sau", a->below, 1, (uint32_t) a->pid);
}

int manager_attach_process(Manager *m, UnitRef unit, const char *below, pid_t pid, Error *reterr) {
        _cleanup_free_ char *object = unit_object(unit);
        const Attachment a = { below, pid };
        const Question q = { object, unit_interface(unit.name), "AttachProcesses", append_attachment, &a };

        return call(m, &q, unit.name, reterr);
}
