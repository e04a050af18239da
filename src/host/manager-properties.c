/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The properties of a unit that runs. */
#include <errno.h>
#include <poll.h>

#include "basic/fd.h"
#include "basic/str.h"
#include "host/manager-internal.h"

/* One property that is dropped is a round trip. */
#define SET_TRIES 16

#define AWAY_POLL_MSEC 20

typedef struct Question {
        const char *unit, *object, *property;
        int (*build)(Manager *m, const struct Question *q, sd_bus_message **ret);
} Question;

/* A systemd that executes itself anew has no name on the bus for a moment, and forgets what it has not answered. What is
 * asked here can be asked again. */
static bool is_away(int r, const sd_bus_error *e) {
        static const char *const names[] = {
                "org.freedesktop.DBus.Error.NoReply", "org.freedesktop.DBus.Error.Disconnected",
                "org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner",
                "org.freedesktop.DBus.Error.Spawn.ChildExited",
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (e->name && streq(e->name, names[i]))
                        return true;
        return r == -ECONNRESET || r == -ECONNREFUSED || r == -ENOTCONN || r == -EPIPE;
}

static int ask_once(Manager *m, const Question *q, uint64_t deadline, sd_bus_message **ret_reply, sd_bus_error *ret_error,
                    Error *reterr) {
        sd_bus_message *message = NULL;
        uint64_t now = now_usec();
        int r = 0;

        if (!m->bus)
                r = manager_connect(m, reterr);
        if (r >= 0)
                r = manager_wait_ready(m, reterr);
        if (r >= 0)
                r = q->build(m, q, &message);
        if (r >= 0)
                r = sd.bus_call(m->bus, message, MAX(deadline, now + 1) - now, ret_error, ret_reply);
        (void) sd.bus_message_unref(message);
        return r < 0 ? r : 0;
}

/* The D-Bus error is the caller's to free. */
static int ask(Manager *m, const Question *q, sd_bus_message **ret_reply, sd_bus_error *ret_error, Error *reterr) {
        uint64_t deadline = now_usec() + MANAGER_TIMEOUT_USEC;

        for (;;) {
                _cleanup_error_ Error error = {};
                int r = ask_once(m, q, deadline, ret_reply, ret_error, &error);

                if (r == 0)
                        return 0;
                if (!is_away(r, ret_error) || now_usec() >= deadline)
                        return error.code ? error_setf(reterr, error.code, "%s", error.message) : r;
                sd.bus_error_free(ret_error);
                m->bus = m->bus ? sd.bus_close_unref(m->bus) : NULL;
                (void) poll(NULL, 0, AWAY_POLL_MSEC);
        }
}

static int build_set(Manager *m, const Question *q, sd_bus_message **ret) {
        int r = sd.bus_message_new_method_call(m->bus, ret, SERVICE, OBJECT, INTERFACE, "SetUnitProperties");

        return r < 0 ? r : marshal_set_properties(*ret, q->unit, m->plan, m->dropped);
}

static int build_restore(Manager *m, const Question *q, sd_bus_message **ret) {
        int r = sd.bus_message_new_method_call(m->bus, ret, SERVICE, OBJECT, INTERFACE, "SetUnitProperties");

        return r < 0 ? r : marshal_restore_properties(*ret, q->unit, m->plan, m->saved);
}

static int build_get(Manager *m, const Question *q, sd_bus_message **ret) {
        int r = sd.bus_message_new_method_call(m->bus, ret, SERVICE, q->object, "org.freedesktop.DBus.Properties", "Get");

        return r < 0 ? r : sd.bus_message_append(*ret, "ss", "org.freedesktop.systemd1.Scope", q->property);
}

static int refused(int r, const char *unit, const sd_bus_error *e, Error *reterr) {
        return error_setf(reterr, r == -ETIMEDOUT ? ETIMEDOUT : EREMOTEIO, "systemd refused the new limits of %s: %s",
                          unit, e->message ?: errno_text(r));
}

int manager_set_properties(Manager *m, const char *unit, const UnitPlan *plan, Error *reterr) {
        const Question q = { .unit = unit, .build = build_set };

        manager_set_plan(m, plan);
        for (unsigned tries = 0;; tries++) {
                sd_bus_error e = SD_BUS_ERROR_NULL;
                int r, property;

                r = ask(m, &q, NULL, &e, reterr);
                property = r < 0 ? manager_refused_property(plan, e.name, e.message) : -2;
                if (property >= 0 && plan->props[property].optional && tries < SET_TRIES) {
                        m->dropped[property] = true;
                        sd.bus_error_free(&e);
                        continue;
                }
                if (r < 0)
                        r = refused(r, unit, &e, reterr);
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

        r = ask(m, &q, &m->saved[i], &e, p->optional ? NULL : reterr);
        if (r < 0 && !p->optional)
                r = error_setf(reterr, EREMOTEIO, "systemd does not say what %s is: %s", p->name,
                               e.message ?: errno_text(r));
        sd.bus_error_free(&e);
        return p->optional ? 0 : r;
}

int manager_save_properties(Manager *m, const char *unit, const UnitPlan *plan, Error *reterr) {
        _cleanup_free_ char *object = NULL;
        int r;

        manager_forget_properties(m);
        manager_set_plan(m, plan);
        r = sd.bus_path_encode("/org/freedesktop/systemd1/unit", unit, &object);
        if (r < 0)
                return error_errnof(reterr, r, "cannot name unit %s", unit);
        m->saved = xmalloc0(MAX(plan->n_props, (size_t) 1) * sizeof(sd_bus_message *));
        m->n_saved = plan->n_props;
        for (size_t i = 0; i < plan->n_props && r >= 0; i++)
                r = save(m, object, i, reterr);
        return MIN(r, 0);
}

int manager_restore_properties(Manager *m, const char *unit, Error *reterr) {
        const Question q = { .unit = unit, .build = build_restore };
        sd_bus_error e = SD_BUS_ERROR_NULL;
        int r;

        r = ask(m, &q, NULL, &e, reterr);
        if (r < 0)
                r = refused(r, unit, &e, reterr);
        sd.bus_error_free(&e);
        return r;
}
