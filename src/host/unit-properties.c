/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/unit-properties.h"

#include <errno.h>

#include "basic/alloc.h"
#include "basic/str.h"
#include "host/manager-internal.h"
#include "host/marshal.h"
#include "host/unit-calls.h"

static void forget_saved(UnitProperties *p) {
        for (size_t i = 0; p->saved && i < p->plan->n_props; i++)
                (void) sd.bus_message_unref(p->saved[i]);
        free(p->saved);
        p->saved = NULL;
}

void unit_properties_done(UnitProperties *p) {
        forget_saved(p);
        free(p->dropped);
        *p = (UnitProperties){};
}

void unit_properties_use(UnitProperties *p, const UnitPlan *plan) {
        if (p->plan == plan)
                return;
        unit_properties_done(p);
        *p = (UnitProperties){ .plan = plan, .dropped = xmalloc0(plan->n_props * sizeof(bool)) };
}

bool unit_properties_dropped(const UnitProperties *p, const char *property) {
        for (size_t i = 0; i < p->plan->n_props; i++)
                if (p->dropped[i] && streq(p->plan->props[i].name, property))
                        return true;
        return false;
}

bool unit_property_is_refused(const char *property, const char *name, const char *text) {
        const char *found = text ? strstr(text, property) : NULL;

        return streq_null(name, "org.freedesktop.DBus.Error.PropertyReadOnly") && found && found > text &&
               found[-1] == ' ' && found[strlen(property)] == ',';
}

bool unit_properties_drop(UnitProperties *p, const char *name, const char *text) {
        for (size_t i = 0; i < p->plan->n_props; i++)
                if (p->plan->props[i].optional && !p->dropped[i] &&
                    unit_property_is_refused(p->plan->props[i].name, name, text))
                        return p->dropped[i] = true;
        return false;
}

static int append_set(sd_bus_message *message, const void *arguments) {
        const UnitProperties *p = arguments;

        return marshal_set_properties(message, p->plan, p->dropped);
}

static int append_restore(sd_bus_message *message, const void *arguments) {
        const UnitProperties *p = arguments;

        return marshal_restore_properties(message, p->plan, p->saved);
}

typedef struct PropertyName {
        const char *interface, *name;
} PropertyName;

static int append_get(sd_bus_message *message, const void *arguments) {
        const PropertyName *property = arguments;

        return sd.bus_message_append(message, "ss", property->interface, property->name);
}

static int refused(int r, const char *unit, const sd_bus_error *e, Error *reterr) {
        return error_setf(reterr, r == -ETIMEDOUT ? ETIMEDOUT : EREMOTEIO, "systemd refused the new limits of %s: %s",
                          unit, e->message ?: errno_text(r));
}

static int not_said(const char *property, const char *why, Error *reterr) {
        return error_setf(reterr, EREMOTEIO, "systemd does not say what %s is: %s", property, why);
}

int manager_get_of(Manager *m, const char *object, const char *interface, const char *property, sd_bus_message **ret,
                   Error *reterr) {
        const PropertyName name = { interface, property };
        const Question q = { object, "org.freedesktop.DBus.Properties", "Get", append_get, &name };
        _cleanup_bus_error_ sd_bus_error e = SD_BUS_ERROR_NULL;
        int r = manager_ask(m, &q, ret, &e, reterr);

        return r < 0 ? not_said(property, e.message ?: errno_text(r), reterr) : 0;
}

static int get(Manager *m, UnitRef unit, const char *interface, const char *property, sd_bus_message **ret,
               Error *reterr) {
        _cleanup_free_ char *object = unit_object(unit);

        return manager_get_of(m, object, interface, property, ret, reterr);
}

int manager_get_property(Manager *m, UnitRef unit, const char *property, sd_bus_message **ret, Error *reterr) {
        return get(m, unit, unit_interface(unit.name), property, ret, reterr);
}

int manager_get_unit_property(Manager *m, UnitRef unit, const char *property, sd_bus_message **ret, Error *reterr) {
        return get(m, unit, UNIT_INTERFACE, property, ret, reterr);
}

const char *manager_get_text(Manager *m, UnitRef unit, const char *property, bool of_kind, Arena *a) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        const char *text = NULL;
        int r = (of_kind ? manager_get_property : manager_get_unit_property)(m, unit, property, &reply, NULL);

        return r < 0 || sd.bus_message_read(reply, "v", "s", &text) < 0 ? NULL : arena_strdup(a, text);
}

int manager_get_u64(Manager *m, UnitRef unit, const char *property, uint64_t *ret, Error *reterr) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        int r;

        r = manager_get_property(m, unit, property, &reply, reterr);
        if (r < 0)
                return r;
        r = sd.bus_message_read(reply, "v", "t", ret);
        return r < 0 ? not_said(property, errno_text(r), reterr) : 0;
}

/* "252.39-1": 252. */
static unsigned long read_version(Manager *m) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        const char *version = "";

        if (manager_get_of(m, MANAGER_OBJECT, MANAGER_INTERFACE, "Version", &reply, NULL) < 0 ||
            sd.bus_message_read(reply, "v", "s", &version) < 0)
                return 0;
        return strtoul(version + (*version == 'v'), NULL, 10);
}

int unit_properties_explain(const UnitProperties *p, Manager *m, const char *name, const char *text, Error *reterr) {
        for (const UnitProp *prop = p->plan->props; prop < p->plan->props + p->plan->n_props; prop++) {
                unsigned long version;

                if (!prop->path || !unit_property_is_refused(prop->name, name, text))
                        continue;
                version = read_version(m);
                return version > 0 ? error_setf(reterr, EOPNOTSUPP, "%s: systemd %lu has no property %s", prop->path,
                                                version, prop->name)
                                   : error_setf(reterr, EOPNOTSUPP, "%s: this systemd has no property %s", prop->path,
                                                prop->name);
        }
        return 0;
}

int manager_get_mask(Manager *m, UnitRef unit, const char *property, Text *ret, Error *reterr) {
        UnitProp prop = { .name = property, .type = UNIT_BYTES };
        _cleanup_message_ sd_bus_message *reply = NULL;
        const void *bytes = NULL;
        int r = manager_get_property(m, unit, property, &reply, reterr);

        if (r < 0)
                return r;
        r = sd.bus_message_enter_container(reply, 'v', "ay");
        if (r >= 0)
                r = sd.bus_message_read_array(reply, 'y', &bytes, &prop.v.bytes.n);
        if (r < 0)
                return not_said(property, errno_text(r), reterr);
        prop.v.bytes.data = bytes;
        text_addn(ret, "", 0);
        unit_prop_print_mask(&prop, ret);
        return 0;
}

static int has_mask(Manager *m, UnitRef unit, const UnitProp *p, Error *reterr) {
        _cleanup_text_ Text wanted = {}, found = {};
        int r = manager_get_mask(m, unit, p->name, &found, reterr);

        unit_prop_print_mask(p, &wanted);
        return r < 0 ? r : streq_null(found.s, wanted.s);
}

static bool has_weight(const UnitProp *p, const char *path, uint64_t value) {
        for (size_t i = 0; i < p->v.weights.n; i++)
                if (streq(p->v.weights.items[i].path, path) && p->v.weights.items[i].value == value)
                        return true;
        return false;
}

static int has_weights(Manager *m, UnitRef unit, const UnitProp *p, Error *reterr) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        int r = manager_get_property(m, unit, p->name, &reply, reterr);
        size_t n = 0, wanted = 0;
        const char *path;
        uint64_t value;

        if (r < 0)
                return r;
        r = sd.bus_message_enter_container(reply, 'v', "a(st)");
        if (r >= 0)
                r = sd.bus_message_enter_container(reply, 'a', "(st)");
        while (r >= 0 && (r = sd.bus_message_read(reply, "(st)", &path, &value)) > 0)
                n += has_weight(p, path, value);
        for (size_t i = 0; i < p->v.weights.n; i++)
                wanted += p->v.weights.items[i].value != UINT64_MAX; /* which is none */
        return r < 0 ? not_said(p->name, errno_text(r), reterr) : n >= wanted;
}

int manager_has_property(Manager *m, UnitRef unit, const UnitProp *p, Error *reterr) {
        return (p->type == UNIT_BYTES ? has_mask : has_weights)(m, unit, p, reterr);
}

int manager_set_properties(Manager *m, UnitRef unit, UnitProperties *p, Error *reterr) {
        _cleanup_free_ char *object = unit_object(unit);
        const Question q = { object, UNIT_INTERFACE, "SetProperties", append_set, p };

        for (;;) {
                _cleanup_bus_error_ sd_bus_error e = SD_BUS_ERROR_NULL;
                int r = manager_ask(m, &q, NULL, &e, reterr);

                if (r == 0)
                        return 0;
                if (unit_properties_drop(p, e.name, e.message))
                        continue;
                forget_saved(p); /* they are what they were */
                return refused(r, unit.name, &e, reterr);
        }
}

int manager_save_properties(Manager *m, UnitRef unit, UnitProperties *p, Error *reterr) {
        forget_saved(p);
        p->saved = xmalloc0(p->plan->n_props * sizeof(sd_bus_message *));
        for (size_t i = 0; i < p->plan->n_props; i++) {
                bool optional = p->plan->props[i].optional;
                int r = manager_get_property(m, unit, p->plan->props[i].name, &p->saved[i], optional ? NULL : reterr);

                if (r < 0 && !optional) {
                        forget_saved(p);
                        return r;
                }
        }
        return 0;
}

void unit_properties_look(UnitProperties *p, Manager *m, UnitRef unit) {
        for (size_t i = 0; i < p->plan->n_props; i++) {
                _cleanup_message_ sd_bus_message *reply = NULL;

                for (size_t k = 0; k < p->plan->n_writes; k++)
                        if (streq_null(p->plan->writes[k].instead_of, p->plan->props[i].name))
                                p->dropped[i] = manager_get_property(m, unit, p->plan->props[i].name, &reply, NULL) < 0;
        }
}

int manager_restore_properties(Manager *m, UnitRef unit, const UnitProperties *p, Error *reterr) {
        _cleanup_free_ char *object = unit_object(unit);
        const Question q = { object, UNIT_INTERFACE, "SetProperties", append_restore, p };
        _cleanup_bus_error_ sd_bus_error e = SD_BUS_ERROR_NULL;
        int r = p->saved ? manager_ask(m, &q, NULL, &e, reterr) : 0;

        return r < 0 ? refused(r, unit.name, &e, reterr) : 0;
}
