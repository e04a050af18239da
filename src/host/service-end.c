/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the main process of a service ended the last time, as systemd says. */
#include <errno.h>

#include "basic/moment.h"
#include "basic/str.h"
#include "host/manager-internal.h"
#include "host/service.h"

static int read_number(Manager *m, const char *name, const char *property, int *ret, Error *reterr) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        int r = manager_get_property(m, (UnitRef){ .name = name }, property, &reply, reterr);

        if (r < 0)
                return r;
        r = sd.bus_message_read(reply, "v", "i", ret);
        return r < 0 ? error_errnof(reterr, r, "systemd does not say %s of %s", property, name) : 0;
}

/* 16 bytes, of which people see the hexadecimal digits. */
static int read_invocation(Manager *m, const char *name, Arena *a, const char **ret, Error *reterr) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        int r = manager_get_unit_property(m, (UnitRef){ .name = name }, "InvocationID", &reply, reterr);
        _cleanup_text_ Text hex = {};
        const void *bytes;
        size_t n;

        if (r < 0)
                return r;
        r = sd.bus_message_enter_container(reply, 'v', "ay");
        if (r >= 0)
                r = sd.bus_message_read_array(reply, 'y', &bytes, &n);
        if (r < 0)
                return error_errnof(reterr, r, "systemd does not say which start of %s that was", name);
        for (size_t i = 0; i < n; i++)
                text_addf(&hex, "%02x", ((const unsigned char *) bytes)[i]);
        *ret = n > 0 ? arena_strdup(a, hex.s) : NULL;
        return 0;
}

/* It had begun to end before its process did, of this start. Where systemd ends it by itself, the result says so. */
static bool was_stopped(Manager *m, const char *name, uint64_t ended) {
        _cleanup_message_ sd_bus_message *left = NULL, *began = NULL;
        const UnitRef unit = { .name = name };
        uint64_t from = 0, to = 0;
        int r = manager_get_unit_property(m, unit, "InactiveExitTimestamp", &began, NULL);

        if (r >= 0)
                r = sd.bus_message_read(began, "v", "t", &from);
        if (r >= 0)
                r = manager_get_unit_property(m, unit, "ActiveExitTimestamp", &left, NULL);
        if (r >= 0)
                r = sd.bus_message_read(left, "v", "t", &to);
        return r >= 0 && from <= to && to < ended;
}

int service_read_end(Manager *m, const char *name, Arena *a, Exit *ret, Error *reterr) {
        const char *invocation = NULL, *result;
        uint64_t when = 0;
        int code = 0, status = 0, r = read_invocation(m, name, a, &invocation, reterr);

        if (r == 0)
                r = read_number(m, name, "ExecMainCode", &code, reterr);
        if (r == 0)
                r = read_number(m, name, "ExecMainStatus", &status, reterr);
        if (r == 0)
                r = manager_get_u64(m, (UnitRef){ .name = name }, "ExecMainExitTimestamp", &when, reterr);
        if (r < 0)
                return r;
        result = manager_get_text(m, (UnitRef){ .name = name }, "Result", true, a);
        if (!result)
                return error_setf(reterr, EREMOTEIO, "systemd does not say how %s ended", name);
        if (code == 0 && streq(result, "success"))
                return error_setf(reterr, EBUSY, "%s has not ended", name);
        *ret = exit_from_unit(result, code, status, a);
        ret->invocation = invocation;
        ret->time = when > 0 ? moment_at(when, a) : moment_now(a);
        if (was_stopped(m, name, when))
                ret->request = service_begins_again(m, name) > 0 ? "restart" : "stop";
        return 0;
}
