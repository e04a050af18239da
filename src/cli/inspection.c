/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/inspection.h"

#include "cli/state-object.h"

static json_object *string(const char *s) {
        return s ? json_object_new_string(s) : NULL;
}

static void add(json_object *to, const char *key, json_object *value) {
        json_object_object_add(to, key, value);
}

static json_object *times(const Inspection *i) {
        json_object *o = json_object_new_object();
        const Record *record = &i->container.record;

        add(o, "created", string(record->created));
        add(o, "started", string(record->started));
        add(o, "ended", string(i->has_ended ? i->end.time : NULL));
        return o;
}

static json_object *number(int n) {
        return n < 0 ? NULL : json_object_new_int(n);
}

static json_object *end(const Inspection *i) {
        const Exit *e = &i->end;
        const char *signal;
        json_object *o;
        int code;

        if (!i->has_ended)
                return NULL;
        o = json_object_new_object();
        code = exit_code(e, &signal);
        add(o, "code", number(code));
        add(o, "signal", string(signal));
        add(o, "core", json_object_new_boolean(streq_null(e->code, "dumped")));
        add(o, "status", number(exit_status(e)));
        add(o, "reason", string(exit_reason(e)));
        add(o, "result", string(e->result));
        add(o, "requested", string(e->request));
        return o;
}

static json_object *unit(const Inspection *i) {
        const Record *record = &i->container.record;
        json_object *o;

        if (!home_has_unit(record->home))
                return NULL;
        o = json_object_new_object();
        add(o, "name", string(record->unit));
        add(o, "slice", string(record->slice));
        add(o, "manager", string(record->user_manager ? "user" : "system"));
        add(o, "invocation", string(record->invocation_id));
        add(o, "active", string(i->unit.active));
        add(o, "sub", string(i->unit.sub));
        add(o, "result", string(i->unit.result));
        return o;
}

static json_object *limits(const Inspection *i) {
        json_object *o = json_object_new_object();

        for (const UnitLimit *l = i->unit.limits; l < i->unit.limits + i->unit.n_limits; l++)
                add(o, l->name, l->is_number ? json_object_new_uint64(l->number) : string(l->text));
        return o;
}

static json_object *pids(const Inspection *i) {
        json_object *o = json_object_new_array();

        for (size_t k = 0; k < i->n_pids; k++)
                json_object_array_add(o, json_object_new_int(i->pids[k]));
        return o;
}

static json_object *namespaces(const Inspection *i) {
        json_object *o = json_object_new_object();

        for (size_t k = 0; k < i->n_namespaces; k++)
                add(o, i->namespaces[k].type, json_object_new_uint64(i->namespaces[k].inode));
        return o;
}

static json_object *mount_object(const SpecMount *m) {
        json_object *o = json_object_new_object(), *options = json_object_new_array();

        add(o, "destination", string(m->destination));
        add(o, "type", string(m->type));
        add(o, "source", string(m->source));
        for (size_t k = 0; k < m->n_options; k++)
                json_object_array_add(options, string(m->options[k]));
        add(o, "options", options);
        return o;
}

static json_object *mounts(const Inspection *i) {
        json_object *o;

        if (!i->config)
                return NULL;
        o = json_object_new_array();
        for (size_t k = 0; k < i->config->n_mounts; k++)
                json_object_array_add(o, mount_object(&i->config->mounts[k]));
        return o;
}

json_object *inspection_object(const Inspection *i) {
        const Record *record = &i->container.record;
        json_object *o = json_object_new_object();

        add(o, "state", state_object(&i->container));
        add(o, "supervised", json_object_new_boolean(home_is_supervised(record->home)));
        add(o, "times", times(i));
        add(o, "exit", end(i));
        add(o, "failure", string(i->failure));
        add(o, "restarts", i->unit.counts_restarts ? json_object_new_int64(i->unit.restarts) : NULL);
        add(o, "unit", unit(i));
        add(o, "cgroup", string(i->status == STATUS_STOPPED ? NULL : record->cgroup));
        add(o, "pids", pids(i));
        add(o, "limits", i->unit.is_there ? limits(i) : NULL);
        add(o, "namespaces", namespaces(i));
        add(o, "mounts", mounts(i));
        return o;
}
