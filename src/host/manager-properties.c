/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The properties of a unit: which of them this systemd does not know, and those of a unit that runs. */
#include <errno.h>

#include "basic/fd.h"
#include "basic/str.h"
#include "host/manager-internal.h"

/* One property that is dropped is a round trip. */
#define SET_TRIES 16

void manager_set_plan(Manager *m, const UnitPlan *plan) {
        m->plan = plan;
        free(m->dropped);
        m->dropped = xmalloc0(MAX(plan->n_props, (size_t) 1) * sizeof(bool));
        m->tries = 0;
}

bool manager_dropped(const Manager *m, const char *property) {
        for (size_t i = 0; i < m->plan->n_props; i++)
                if (m->dropped[i] && streq(m->plan->props[i].name, property))
                        return true;
        return false;
}

int manager_refused_property(const UnitPlan *plan, const char *name, const char *text) {
        if (!streq_null(name, "org.freedesktop.DBus.Error.PropertyReadOnly") || !text)
                return REFUSED_NONE;
        if (strstr(text, " PIDFDs,"))
                return REFUSED_PIDFDS;
        for (size_t i = 0; i < plan->n_props; i++) {
                const char *found = strstr(text, plan->props[i].name);

                if (found && found[strlen(plan->props[i].name)] == ',' && found[-1] == ' ')
                        return (int) i;
        }
        return REFUSED_NONE;
}

static int build_set(Manager *m, const Question *q, sd_bus_message **ret) {
        int r = sd.bus_message_new_method_call(m->bus, ret, SERVICE, q->object, OF_UNITS, "SetProperties");

        return r < 0 ? r : marshal_set_properties(*ret, m->plan, m->dropped);
}

static int build_restore(Manager *m, const Question *q, sd_bus_message **ret) {
        int r = sd.bus_message_new_method_call(m->bus, ret, SERVICE, q->object, OF_UNITS, "SetProperties");

        return r < 0 ? r : marshal_restore_properties(*ret, m->plan, m->saved);
}

static int build_get(Manager *m, const Question *q, sd_bus_message **ret) {
        int r = sd.bus_message_new_method_call(m->bus, ret, SERVICE, q->object, "org.freedesktop.DBus.Properties", "Get");

        return r < 0 ? r : sd.bus_message_append(*ret, "ss", OF_SCOPES, q->property);
}

static int refused(int r, const char *unit, const sd_bus_error *e, Error *reterr) {
        return error_setf(reterr, r == -ETIMEDOUT ? ETIMEDOUT : EREMOTEIO, "systemd refused the new limits of %s: %s",
                          unit, e->message ?: errno_text(r));
}

static int not_said(const char *property, int r, const sd_bus_error *e, Error *reterr) {
        return error_setf(reterr, EREMOTEIO, "systemd does not say what %s is: %s", property, e->message ?: errno_text(r));
}

int manager_get_u64(Manager *m, UnitRef unit, const char *property, uint64_t *ret, Error *reterr) {
        _cleanup_free_ char *object = manager_object(unit);
        const Question q = { .object = object, .property = property, .build = build_get };
        sd_bus_error e = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        int r;

        r = manager_ask(m, &q, &reply, &e, reterr);
        if (r == 0)
                r = sd.bus_message_read(reply, "v", "t", ret);
        if (r < 0)
                r = not_said(property, r, &e, reterr);
        sd.bus_error_free(&e);
        (void) sd.bus_message_unref(reply);
        return MIN(r, 0);
}

int manager_set_properties(Manager *m, UnitRef unit, const UnitPlan *plan, Error *reterr) {
        _cleanup_free_ char *object = manager_object(unit);
        const Question q = { .object = object, .build = build_set };

        manager_set_plan(m, plan);
        for (unsigned tries = 0;; tries++) {
                sd_bus_error e = SD_BUS_ERROR_NULL;
                int r, property;

                r = manager_ask(m, &q, NULL, &e, reterr);
                property = r < 0 ? manager_refused_property(plan, e.name, e.message) : REFUSED_NONE;
                if (property >= 0 && plan->props[property].optional && tries < SET_TRIES) {
                        m->dropped[property] = true;
                        sd.bus_error_free(&e);
                        continue;
                }
                if (r < 0) {
                        r = refused(r, unit.name, &e, reterr);
                        manager_forget_properties(m); /* they are what they were */
                }
                sd.bus_error_free(&e);
                return r;
        }
}

void manager_forget_properties(Manager *m) {
        for (size_t i = 0; i < m->n_saved; i++)
                (void) sd.bus_message_unref(m->saved[i]);
        free(m->saved);
        m->saved = NULL;
        m->n_saved = 0;
}

static int save(Manager *m, const char *object, size_t i, Error *reterr) {
        const UnitProp *p = &m->plan->props[i];
        const Question q = { .object = object, .property = p->name, .build = build_get };
        sd_bus_error e = SD_BUS_ERROR_NULL;
        int r;

        r = manager_ask(m, &q, &m->saved[i], &e, p->optional ? NULL : reterr);
        if (r < 0 && !p->optional)
                r = not_said(p->name, r, &e, reterr);
        sd.bus_error_free(&e);
        return p->optional ? 0 : r;
}

int manager_save_properties(Manager *m, UnitRef unit, const UnitPlan *plan, Error *reterr) {
        _cleanup_free_ char *object = manager_object(unit);
        int r = 0;

        manager_forget_properties(m);
        manager_set_plan(m, plan);
        m->saved = xmalloc0(MAX(plan->n_props, (size_t) 1) * sizeof(sd_bus_message *));
        m->n_saved = plan->n_props;
        for (size_t i = 0; i < plan->n_props && r >= 0; i++)
                r = save(m, object, i, reterr);
        if (r < 0)
                manager_forget_properties(m);
        return MIN(r, 0);
}

int manager_restore_properties(Manager *m, UnitRef unit, Error *reterr) {
        _cleanup_free_ char *object = manager_object(unit);
        const Question q = { .object = object, .build = build_restore };
        sd_bus_error e = SD_BUS_ERROR_NULL;
        int r;

        if (m->n_saved == 0)
                return 0;
        r = manager_ask(m, &q, NULL, &e, reterr);
        if (r < 0)
                r = refused(r, unit.name, &e, reterr);
        sd.bus_error_free(&e);
        return r;
}
