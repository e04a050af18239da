/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/service.h"

#include <errno.h>

#include "basic/fd.h"
#include "basic/str.h"
#include "host/manager-internal.h"
#include "host/scope.h"
#include "host/unit-calls.h"

/* A systemd that has executed itself anew meanwhile is another one on the bus, and what it says of our job does not count. */
#define LOOK_USEC UINT64_C(5000000)

/* For the hooks of its end. */
#define HOOKS_USEC UINT64_C(60000000)

static int is_in_state(Manager *m, const char *name, const char *const *states, Error *reterr) {
        _cleanup_message_ sd_bus_message *reply = NULL;
        const char *state = "";
        int r = manager_get_unit_property(m, (UnitRef){ .name = name }, "ActiveState", &reply, reterr);

        if (r >= 0)
                r = sd.bus_message_read(reply, "v", "s", &state);
        if (r < 0)
                return error_errnof(reterr, r, "systemd does not say in which state %s is", name);
        while (*states && !streq(state, *states))
                states++;
        return *states != NULL;
}

static bool is_starting(Manager *m, const char *name) {
        static const char *const states[] = { "activating", NULL };

        return is_in_state(m, name, states, NULL) != 0;
}

static int wait_for(Scope *s, Manager *m, Error *reterr) {
        int r = 0;

        while (r >= 0 && (r = scope_dispatch(s, reterr)) == 0) {
                uint64_t until = scope_wait_until(s), look = now_usec() + LOOK_USEC;

                if (now_usec() >= until)
                        return scope_give_up(s, reterr);
                r = manager_wait(m, MIN(until, look));
                if (r < 0)
                        return error_passf(reterr, r, "%s", errno_text(r));
                if (now_usec() >= look && until == UINT64_MAX && !is_starting(m, s->properties->plan->name))
                        return 0; /* who has asked sees what has become of it */
        }
        return MIN(r, 0);
}

int service_start(Manager *m, UnitProperties *properties, Error *reterr) {
        Scope s = {};
        int r = scope_start(&s, m, properties, 0, -EBADF, reterr);

        if (r == 0)
                r = wait_for(&s, m, reterr);
        scope_done(&s);
        return r;
}

/* a(sasbttttuii): the words of the first command. */
static int has_words(sd_bus_message *reply, const char *const *words, size_t n) {
        const char *path, *word;
        size_t i = 0;
        int r;

        r = sd.bus_message_enter_container(reply, 'v', "a(sasbttttuii)");
        if (r >= 0)
                r = sd.bus_message_enter_container(reply, 'a', "(sasbttttuii)");
        if (r >= 0)
                r = sd.bus_message_enter_container(reply, 'r', "sasbttttuii");
        if (r <= 0)
                return r;
        r = sd.bus_message_read(reply, "s", &path);
        if (r >= 0)
                r = sd.bus_message_enter_container(reply, 'a', "s");
        for (; r >= 0 && (r = sd.bus_message_read(reply, "s", &word)) > 0; i++) /* the first is where we were then */
                if (i >= n || (words[i] && !streq(words[i], word)))
                        return 0;
        return r < 0 ? r : i == n;
}

int service_is_of(Manager *m, const char *name, const char *root, const char *id, Error *reterr) {
        const char *const words[] = { NULL, "--root", root, "service-start", id };
        _cleanup_message_ sd_bus_message *reply = NULL;
        int r = manager_get_property(m, (UnitRef){ .name = name }, "ExecStart", &reply, reterr);

        if (r < 0)
                return r;
        r = has_words(reply, words, ELEMENTSOF(words));
        return r < 0 ? error_errnof(reterr, r, "systemd does not say what %s runs", name) : r;
}

int service_has_ended(Manager *m, const char *name, const char *root, const char *id, Error *reterr) {
        static const char *const states[] = { "inactive", "failed", NULL };
        int r = service_is_of(m, name, root, id, reterr);

        return r <= 0 ? (r < 0 ? r : 1) : is_in_state(m, name, states, reterr);
}

int service_stop(Manager *m, const char *name, uint64_t timeout, Error *reterr) {
        uint64_t usec = timeout > UINT64_MAX - HOOKS_USEC ? UINT64_MAX : timeout + HOOKS_USEC;

        return manager_stop_unit(m, (UnitRef){ .name = name }, deadline_in(usec), reterr);
}

int service_remove(Manager *m, const char *name, uint64_t timeout, Error *reterr) {
        int r = service_stop(m, name, timeout, reterr);

        if (r == 0)
                (void) manager_reset_failed(m, name, NULL); /* it may be gone */
        return r;
}
