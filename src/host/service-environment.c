/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/service-environment.h"

#include "host/manager-internal.h"
#include "host/sd.h"
#include "host/unit-properties.h"
#include "plan/service-environment.h"

static const char *const nothing[] = { NULL };

static int read_list(sd_bus_message *reply, Arena *a, const char *const **ret) {
        Strings list = {};
        const char *s;
        int r = sd.bus_message_enter_container(reply, 'v', "as");

        if (r >= 0)
                r = sd.bus_message_enter_container(reply, 'a', "s");
        while (r >= 0 && (r = sd.bus_message_read(reply, "s", &s)) > 0)
                strings_add(a, &list, arena_strdup(a, s));
        *ret = list.s ?: nothing;
        return r;
}

/* service: NULL for what systemd has for all. */
static int ask(Manager *m, const char *service, const char *property, Arena *a, const char *const **ret,
               Error *reterr) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        int r = service ? manager_get_property(m, (UnitRef){ .name = service }, property, &reply, reterr)
                        : manager_get_of(m, MANAGER_OBJECT, MANAGER_INTERFACE, property, &reply, reterr);

        if (r < 0)
                return r;
        r = read_list(reply, a, ret);
        return r < 0 ? error_errnof(reterr, r, "systemd does not say what %s is", property) : 0;
}

int service_environment(Manager *m, const char *service, const char *const *all, Arena *a, const char ***ret,
                        Error *reterr) {
        ServiceVariables v = { .all = all };
        int r = ask(m, service, "Environment", a, &v.unit, reterr);

        if (r == 0)
                r = ask(m, service, "PassEnvironment", a, &v.passed, reterr);
        if (r == 0)
                r = ask(m, NULL, "Environment", a, &v.manager, reterr);
        if (r == 0)
                *ret = service_environment_select(a, &v);
        return r;
}
