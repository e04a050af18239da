/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/inspect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "basic/names.h"
#include "host/cgroup.h"
#include "host/end.h"
#include "host/observe.h"
#include "host/process.h"
#include "host/service.h"
#include "runtime/find.h"

void inspection_done(Inspection *i) {
        container_done(&i->container);
        free(i->pids);
        arena_done(&i->arena);
        *i = INSPECTION_NONE;
}

/* Each part for itself: what is wrong with one keeps nobody from the others. */
static void warn(const Error *error) {
        if (error->message)
                log_message(LOG_WARNING, "%s", error->message);
}

static void read_end(Inspection *i) {
        _cleanup_close_ int fd = end_open(&i->container);

        i->has_ended = i->status == STATUS_STOPPED && end_find(&i->container, fd, &i->arena, &i->end) == 0;
        i->failure = i->status == STATUS_STOPPED ? end_read_failure(&i->container, &i->arena) : NULL;
}

static void read_config(Inspection *i) {
        _cleanup_error_ Error error = {};

        if (!i->container.has_record || container_read_config(&i->container, &i->config, &error) < 0)
                warn(&error);
}

/* A service has many starts, and is known by what it calls; a scope has one. */
static int ask_systemd(const Runtime *rt, Inspection *i, Error *reterr) {
        const Record *record = &i->container.record;
        UnitRef unit = record_unit(record);
        _cleanup_manager_ Manager *m = NULL;
        int r = manager_open(&rt->caller, record->user_manager, &m, reterr);

        if (r == 0 && home_is_supervised(record->home)) {
                unit.invocation = NULL;
                r = service_is_of(m, record->unit, rt->root, i->container.id, reterr);
        } else if (r == 0)
                r = unit.invocation != NULL;
        return r <= 0 ? r : unit_view_read(m, unit, &i->arena, &i->unit, reterr);
}

static void read_unit(const Runtime *rt, Inspection *i) {
        const Record *record = &i->container.record;
        _cleanup_error_ Error error = {};

        /* systemd forgets a scope as soon as nothing runs there. */
        if (!home_has_unit(record->home) || (record->home == HOME_SCOPE && i->status == STATUS_STOPPED))
                return;
        if (ask_systemd(rt, i, &error) < 0)
                warn(&error);
}

static int compare(const void *a, const void *b) {
        return *(const pid_t *) a - *(const pid_t *) b;
}

static void read_processes(Inspection *i) {
        _cleanup_close_ int cgroup = container_open_cgroup(&i->container);

        if (cgroup >= 0 && cgroup_pids(cgroup, &i->pids, &i->n_pids) == 0 && i->n_pids > 0)
                qsort(i->pids, i->n_pids, sizeof(*i->pids), compare);
}

/* The pidfd is there before the number is used, and looked at after it: what was read is of this very process. */
static void read_first(Inspection *i) {
        _cleanup_close_ int init = container_open_init(&i->container);
        pid_t pid = i->container.record.pid;
        ProcessStat stat;

        if (init < 0 || process_stat(pid, &stat) < 0)
                return;
        for (const Name *n = namespace_names; n->name; n++)
                if (process_namespace(pid, n->name, &i->namespaces[i->n_namespaces].inode) == 0)
                        i->namespaces[i->n_namespaces++].type = n->name;
        snprintf(i->process, sizeof(i->process), "%s", stat.name);
        if (pidfd_has_exited(init)) {
                i->n_namespaces = 0;
                i->process[0] = '\0';
        }
}

int runtime_inspect(const Runtime *rt, const char *id, Inspection *ret, Error *reterr) {
        int r;

        *ret = INSPECTION_NONE;
        r = runtime_find(rt, id, LOCK_NONE, &ret->container, reterr);
        if (r < 0)
                return r;
        ret->status = container_status(&ret->container);
        read_end(ret);
        read_config(ret);
        read_unit(rt, ret);
        read_processes(ret);
        read_first(ret);
        return 0;
}
