/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What who asks for a session does. What is done when systemd has called us: session-start.c. */
#include "runtime/session.h"

#include <errno.h>
#include <signal.h>
#include <sys/random.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "host/observe.h"
#include "host/process.h"
#include "host/service.h"
#include "host/session.h"
#include "steps/ending.h"
#include "steps/steps.h"

/* Of those that have ended. Each is some kilobytes, and nobody may ever ask for it. */
#define KEPT 256

/* --- one less ------------------------------------------------------------------------------------------------------ */

static int end_process(const Container *session, Error *reterr) {
        _cleanup_close_ int process = container_open_init(session);
        int r = process < 0 ? 0 : process_signal(process, SIGKILL);

        if (r == 0 && process >= 0)
                r = process_wait(session->record.pid, process, now_usec() + ENDING_TIMEOUT_USEC);
        return r < 0 && r != -ESRCH
                       ? error_errnof(reterr, r, "session %s of container %s cannot be ended", session->id, session->of)
                       : 0;
}

/* It ends by itself, and its name is to be free now. */
static int end_unit(const Runtime *rt, const Container *session, Error *reterr) {
        _cleanup_free_ char *invocation = session->of_this_boot ? container_unit_invocation(session) : NULL;
        const char *unit = session->record.unit;
        _cleanup_(arena_done) Arena a = {};
        _cleanup_manager_ Manager *m = NULL;
        int r;

        if (!invocation || (session->record.invocation_id && !streq(invocation, session->record.invocation_id)))
                return 0;
        r = manager_open(&rt->caller, session->record.user_manager, &m, reterr);
        if (r >= 0)
                r = service_is_of_session(m, unit, rt->root, session->of, session->id, reterr);
        if (r > 0)
                r = service_remove(m, unit, record_end_unit(&session->record, &a), reterr);
        return MIN(r, 0);
}

int session_remove(const Runtime *rt, Container *session, Error *reterr) {
        int r = end_process(session, reterr);

        if (r == 0 && session->has_record)
                r = end_unit(rt, session, reterr);
        return r < 0 ? r : container_remove(session, reterr);
}

/* --- and those that nobody has asked for --------------------------------------------------------------------------- */

typedef struct Ended {
        const char *name, *created;
} Ended;

static int compare(const void *a, const void *b) {
        return strcmp(((const Ended *) a)->created, ((const Ended *) b)->created);
}

static bool has_ended(const Store *s, const char *id, const char *name, Arena *a, Ended *ret) {
        _cleanup_container_ Container c = { .dir = -EBADF };

        if (session_open(s, id, name, LOCK_NONE, &c, NULL) < 0 || container_status(&c) != STATUS_STOPPED ||
            !c.record.committed) /* who begins it may be about to */
                return false;
        *ret = (Ended){ .name = name, .created = arena_strdup(a, c.record.created ?: "") };
        return true;
}

static void forget(const Runtime *rt, const Store *s, const char *id, const char *name) {
        _cleanup_container_ Container c = { .dir = -EBADF };

        if (session_open(s, id, name, LOCK_WAIT, &c, NULL) == 0 && container_status(&c) == STATUS_STOPPED)
                (void) session_remove(rt, &c, NULL);
}

static void forget_oldest(const Runtime *rt, const Store *s, const char *id) {
        _cleanup_(arena_done) Arena a = {};
        size_t n = 0, n_ended = 0;
        char **names = NULL;
        Ended *ended;

        if (store_list(s, &a, &names, NULL) < 0)
                return;
        while (names[n])
                n++;
        if (n <= KEPT)
                return;
        ended = arena_calloc(&a, n, sizeof(*ended));
        for (size_t i = 0; i < n; i++)
                n_ended += has_ended(s, id, names[i], &a, &ended[n_ended]);
        qsort(ended, n_ended, sizeof(*ended), compare);
        for (size_t i = 0; i + KEPT < n_ended; i++)
                forget(rt, s, id, ended[i].name);
}

/* --- one more ------------------------------------------------------------------------------------------------------ */

/* Nobody else has it, by all that can be expected; and else it is refused. */
static int make_name(char **ret, Error *reterr) {
        uint32_t random;

        if (getrandom(&random, sizeof(random), 0) != sizeof(random))
                return error_errnof(reterr, errno, "cannot make a name for the session");
        *ret = xasprintf("exec-%08x", random);
        return 0;
}

/* That a service has chosen which has called us is not in the record. */
static const char *slice_of(const Record *record, Arena *a) {
        const char *slice = record->slice ?: unit_slice_above(record->cgroup ?: "", record->unit, a);

        return slice ?: "-.slice";
}

static int make(const Runtime *rt, const SessionRequest *request, const Container *container, const Store *store,
                const char *name, Error *reterr) {
        _cleanup_(arena_done) Arena a = {};
        const SessionUnit what = { .program = request->options.program,
                                   .root = rt->root,
                                   .id = container->id,
                                   .name = name,
                                   .unit = container->record.unit,
                                   .slice = slice_of(&container->record, &a),
                                   .rootless = container->record.user_manager };
        _cleanup_container_ Container session = { .dir = -EBADF };
        StepContext context = STEP_CONTEXT_NONE;
        _cleanup_operation_ Operation operation = { .kinds = step_kinds, .context = &context };
        _cleanup_launch_plan_ LaunchPlan plan = {};
        _cleanup_text_ Text text = {};
        UnitPlan unit = {};
        int r;

        unit_plan_build_session(&what, &unit);
        session_request_encode(request, &text);
        context.rt = rt;
        context.container = &session;
        context.whole = &container->record;
        context.operation = &operation;
        context.unit = &unit;
        context.store = store;
        context.id = name;
        context.config = text.s;
        context.config_size = text.n;
        launch_plan_session(name, &unit, request->options.pid_file, &plan);
        r = operation_run(&operation, &plan, reterr);
        step_context_done(&context);
        unit_plan_done(&unit);
        return r;
}

int session_begin(const Runtime *rt, const SessionRequest *request, const Container *container, char **ret_name,
                  Error *reterr) {
        _cleanup_free_ char *name = request->options.name ? xstrdup(request->options.name) : NULL;
        _cleanup_store_ Store store = { .fd = -EBADF };
        int r = session_store_open(container, true, &store, reterr);

        if (r == 0 && !name)
                r = make_name(&name, reterr);
        if (r < 0)
                return r;
        forget_oldest(rt, &store, container->id);
        r = make(rt, request, container, &store, name, reterr);
        if (r < 0)
                return r;
        log_info("container %s: session %s runs", container->id, name);
        *ret_name = TAKE_PTR(name);
        return 0;
}
