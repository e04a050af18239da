/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/marshal.h"

#include <errno.h>

#include "host/sd.h"

/* Ends the function with a sd-bus error. */
#define TRY(call)               \
        do {                    \
                int _r = (call);\
                if (_r < 0)     \
                        return _r; \
        } while (0)

static int append_strings(sd_bus_message *m, const UnitProp *p) {
        TRY(sd.bus_message_open_container(m, 'a', "s"));
        for (size_t i = 0; i < p->v.strv.n; i++)
                TRY(sd.bus_message_append_basic(m, 's', p->v.strv.items[i]));
        return sd.bus_message_close_container(m);
}

/* One command, whose failure is one. */
static int append_command(sd_bus_message *m, const UnitProp *p) {
        TRY(sd.bus_message_open_container(m, 'a', "(sasb)"));
        TRY(sd.bus_message_open_container(m, 'r', "sasb"));
        TRY(sd.bus_message_append_basic(m, 's', p->v.strv.items[0]));
        TRY(append_strings(m, p));
        TRY(sd.bus_message_append(m, "b", 0));
        TRY(sd.bus_message_close_container(m));
        return sd.bus_message_close_container(m);
}

static int append_fields(sd_bus_message *m, const UnitProp *p) {
        TRY(sd.bus_message_open_container(m, 'a', "ay"));
        for (size_t i = 0; i < p->v.strv.n; i++)
                TRY(sd.bus_message_append_array(m, 'y', p->v.strv.items[i], strlen(p->v.strv.items[i])));
        return sd.bus_message_close_container(m);
}

static int append_statuses(sd_bus_message *m, const UnitProp *p) {
        TRY(sd.bus_message_open_container(m, 'r', "aiai"));
        TRY(sd.bus_message_append_array(m, 'i', p->v.statuses.exits, p->v.statuses.n_exits * sizeof(int32_t)));
        TRY(sd.bus_message_append_array(m, 'i', p->v.statuses.signals, p->v.statuses.n_signals * sizeof(int32_t)));
        return sd.bus_message_close_container(m);
}

static int append_value(sd_bus_message *m, const UnitProp *p) {
        switch (p->type) {
        case UNIT_BOOL:
                return sd.bus_message_append(m, "b", (int) p->v.b);
        case UNIT_I32:
        case UNIT_U32:
        case UNIT_U64:
                return sd.bus_message_append_basic(m, unit_signatures[p->type][0], &p->v);
        case UNIT_STRING:
                return sd.bus_message_append_basic(m, 's', p->v.s);
        case UNIT_STRV:
                return append_strings(m, p);
        case UNIT_COMMAND:
                return append_command(m, p);
        case UNIT_FIELDS:
                return append_fields(m, p);
        case UNIT_STATUSES:
                return append_statuses(m, p);
        case UNIT_BYTES:
                return sd.bus_message_append_array(m, 'y', p->v.bytes.data, p->v.bytes.n);
        case UNIT_PAIRS:
                TRY(sd.bus_message_open_container(m, 'a', "(ss)"));
                for (size_t i = 0; i < p->v.pairs.n; i++)
                        TRY(sd.bus_message_append(m, "(ss)", p->v.pairs.items[i].name, p->v.pairs.items[i].value));
                return sd.bus_message_close_container(m);
        case UNIT_WEIGHTS:
                TRY(sd.bus_message_open_container(m, 'a', "(st)"));
                for (size_t i = 0; i < p->v.weights.n; i++)
                        TRY(sd.bus_message_append(m, "(st)", p->v.weights.items[i].path, p->v.weights.items[i].value));
                return sd.bus_message_close_container(m);
        }
        return -EINVAL;
}

static int append_properties(sd_bus_message *m, const UnitPlan *plan, const bool *skip) {
        for (size_t i = 0; i < plan->n_props; i++) {
                const UnitProp *p = &plan->props[i];

                if (skip && skip[i])
                        continue;
                TRY(sd.bus_message_open_container(m, 'r', "sv"));
                TRY(sd.bus_message_append_basic(m, 's', p->name));
                TRY(sd.bus_message_open_container(m, 'v', unit_signatures[p->type]));
                TRY(append_value(m, p));
                TRY(sd.bus_message_close_container(m));
                TRY(sd.bus_message_close_container(m));
        }
        return 0;
}

/* A unit that is there then, and is not started. */
static int append_beside(sd_bus_message *m, const UnitPlan *plan) {
        if (!plan)
                return sd.bus_message_append(m, "a(sa(sv))", 0);
        TRY(sd.bus_message_open_container(m, 'a', "(sa(sv))"));
        TRY(sd.bus_message_open_container(m, 'r', "sa(sv)"));
        TRY(sd.bus_message_append_basic(m, 's', plan->name));
        TRY(sd.bus_message_open_container(m, 'a', "(sv)"));
        TRY(append_properties(m, plan, NULL));
        TRY(sd.bus_message_close_container(m));
        TRY(sd.bus_message_close_container(m));
        return sd.bus_message_close_container(m);
}

int marshal_start_scope(sd_bus_message *m, const UnitPlan *plan, const bool *skip, const ScopeProcess *process) {
        TRY(sd.bus_message_append(m, "ss", plan->name, "fail"));
        TRY(sd.bus_message_open_container(m, 'a', "(sv)"));
        TRY(append_properties(m, plan, skip));
        if (process->pidfd >= 0)
                TRY(sd.bus_message_append(m, "(sv)", "PIDFDs", "ah", 1, process->pidfd));
        else if (process->pid > 0)
                TRY(sd.bus_message_append(m, "(sv)", "PIDs", "au", 1, (uint32_t) process->pid));
        TRY(sd.bus_message_close_container(m));
        return append_beside(m, plan->end);
}

int marshal_set_properties(sd_bus_message *m, const UnitPlan *plan, const bool *skip) {
        TRY(sd.bus_message_append(m, "b", 1));
        TRY(sd.bus_message_open_container(m, 'a', "(sv)"));
        TRY(append_properties(m, plan, skip));
        return sd.bus_message_close_container(m);
}

/* One (sv); reply NULL: an empty value. */
static int append_reply(sd_bus_message *m, const UnitProp *p, sd_bus_message *reply) {
        const char *signature = unit_signatures[p->type];

        TRY(sd.bus_message_open_container(m, 'r', "sv"));
        TRY(sd.bus_message_append_basic(m, 's', p->name));
        TRY(sd.bus_message_open_container(m, 'v', signature));
        if (reply) { /* which may have been read before, for a request that was lost */
                TRY(sd.bus_message_rewind(reply, 1));
                TRY(sd.bus_message_enter_container(reply, 'v', signature));
                TRY(sd.bus_message_copy(m, reply, 1));
        } else {
                TRY(sd.bus_message_open_container(m, 'a', signature + 1));
                TRY(sd.bus_message_close_container(m));
        }
        TRY(sd.bus_message_close_container(m));
        return sd.bus_message_close_container(m);
}

int marshal_restore_properties(sd_bus_message *m, const UnitPlan *plan,
                               sd_bus_message *const *replies) {
        TRY(sd.bus_message_append(m, "b", 1));
        TRY(sd.bus_message_open_container(m, 'a', "(sv)"));
        for (size_t i = 0; i < plan->n_props; i++) {
                const UnitProp *p = &plan->props[i];
                bool again = false; /* DeviceAllow is there twice: to be emptied, and to be filled */

                for (size_t k = 0; k < i; k++)
                        again = again || streq(plan->props[k].name, p->name);
                if (!replies[i] || again)
                        continue;
                /* systemd adds to what is in these. */
                if (p->type == UNIT_PAIRS || p->type == UNIT_WEIGHTS)
                        TRY(append_reply(m, p, NULL));
                TRY(append_reply(m, p, replies[i]));
        }
        return sd.bus_message_close_container(m);
}
