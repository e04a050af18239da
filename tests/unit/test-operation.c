/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "steps/operation.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/loop.h"
#include "test.h"

/* Steps that do nothing but say so, and wait; one of them fails, or is interrupted. */
typedef struct Fake {
        char said[256];
        LaunchOp fails, interrupted;   /* or 0 */
        int interrupt;
        int result;
        const LaunchPlan *plan;
        Operation *operation;
} Fake;

static void say(Fake *f, const char *prefix, const LaunchStep *step) {
        strncat(f->said, prefix, sizeof(f->said) - strlen(f->said) - 1);
        strncat(f->said, launch_op_name(step->op), sizeof(f->said) - strlen(f->said) - 1);
}

static int run(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        uint64_t one = 1;
        Fake *f = context;
        int r;

        say(f, " +", step);
        *kept = xstrdup(launch_op_name(step->op));
        if (step->op == f->interrupted)
                ASSERT_EQ(write(f->interrupt, &one, sizeof(one)), sizeof(one));
        r = loop_sleep(100);
        if (r < 0)
                return error_errnof(reterr, r, "%s", launch_op_name(step->op));
        return step->op == f->fails ? error_setf(reterr, EIO, "%s failed", launch_op_name(step->op)) : 0;
}

/* What takes something back comes to its end, whatever has interrupted us. */
static void undo(void *context, const LaunchStep *step, void *kept) {
        say(context, " -", step);
        ASSERT_STR(kept, launch_op_name(step->op));
        ASSERT_EQ(loop_sleep(100), 0);
}

static const StepKind undone = { run, undo }, only_done = { run, NULL };
static const StepKind *const kinds[_LAUNCH_OP_MAX] = {
        [LAUNCH_KILL] = &undone, [LAUNCH_STOP_UNIT] = &undone, [LAUNCH_UNMOUNT] = &only_done, [LAUNCH_FORGET] = &undone,
};

static void perform(void *data) {
        Fake *f = data;
        _cleanup_operation_ Operation o = { .kinds = kinds, .context = f };
        _cleanup_error_ Error error = {};

        (void) loop_interrupt(f->interrupt);
        f->result = operation_run(&o, f->plan, &error);
        ASSERT_EQ(f->result < 0, error.code != 0);
        operation_undo(&o);
        operation_undo(&o); /* once */
        (void) loop_interrupt(-EBADF);
}

static const struct {
        LaunchOp at;
        const char *said;
} rows[] = {
        { LAUNCH_KILL, " +kill -kill" },
        { LAUNCH_STOP_UNIT, " +kill +stop_unit -stop_unit -kill" },
        { LAUNCH_UNMOUNT, " +kill +stop_unit +unmount -stop_unit -kill" },
        { LAUNCH_FORGET, " +kill +stop_unit +unmount +forget -forget -stop_unit -kill" },
        { 0, " +kill +stop_unit +unmount +forget -forget -stop_unit -kill" }, /* what follows fails */
};

static void spin(Loop *l) {
        while (loop_tasks(l) > 0) {
                ASSERT_EQ(loop_wait_fd(loop_fd(l), POLLIN, now_usec() + 60000000), 1);
                ASSERT_EQ(loop_dispatch(l), 0);
        }
}

/* By itself, and all of them at once in a loop. */
static void test(bool interrupts, bool tasks) {
        _cleanup_launch_plan_ LaunchPlan plan = {};
        _cleanup_loop_ Loop *l = NULL;
        Fake fakes[ELEMENTSOF(rows)];

        for (LaunchOp op = LAUNCH_KILL; op < _LAUNCH_OP_MAX; op++)
                if (kinds[op])
                        (void) launch_plan_add(&plan, op);
        ASSERT_EQ(loop_new(&l), 0);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                fakes[i] = (Fake){ .plan = &plan, .interrupt = eventfd(0, EFD_CLOEXEC) };
                *(interrupts ? &fakes[i].interrupted : &fakes[i].fails) = rows[i].at;
                if (tasks)
                        ASSERT_EQ(loop_spawn(l, perform, &fakes[i]), 0);
                else
                        perform(&fakes[i]);
        }
        spin(l);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                ASSERT_STR(fakes[i].said, rows[i].said);
                ASSERT_EQ(fakes[i].result, rows[i].at == 0 ? 0 : interrupts ? -EINTR : -EIO);
                close(fakes[i].interrupt);
        }
}

/* Hears the helper, who says one thing after the other. */
static int attend(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        Fake *f = context;
        int r = run(context, step, kept, reterr);

        for (unsigned i = 0; i < 2 && r == 0; i++)
                r = operation_answer(f->operation, (const unsigned[]){ INIT_MSG_GATE, INIT_MSG_HOOKS }[i], reterr);
        return r;
}

static void test_answers(LaunchOp fails, const char *said) {
        static const StepKind attends = { attend, undo };
        static const StepKind *const answering[_LAUNCH_OP_MAX] = {
                [LAUNCH_SPAWN] = &undone, [LAUNCH_ATTEND] = &attends, [LAUNCH_RUNTIME_HOOKS] = &undone,
                [LAUNCH_BIND_GATE] = &undone, [LAUNCH_COMMIT] = &undone,
        };
        _cleanup_launch_plan_ LaunchPlan plan = {};
        Fake f = { .fails = fails };
        _cleanup_operation_ Operation o = { .kinds = answering, .context = &f };

        f.operation = &o;
        (void) launch_add_spawn(&plan);
        (void) launch_add_attend(&plan);
        plan.answering = INIT_MSG_HOOKS;
        (void) launch_add_runtime_hooks(&plan);
        plan.answering = INIT_MSG_GATE;
        (void) launch_add_bind_gate(&plan);
        plan.answering = 0;
        (void) launch_add_commit(&plan);
        ASSERT_EQ(operation_run(&o, &plan, NULL), fails ? -EIO : 0);
        ASSERT(!operation_has_begun(&o, LAUNCH_UNMOUNT) && operation_has_begun(&o, LAUNCH_ATTEND));
        ASSERT_STR(f.said, said);
}

int main(void) {
        TEST("an operation that fails at each step: what was begun is undone once, in reverse");
        test(false, false);
        TEST("one that is interrupted at each wait");
        test(true, false);
        TEST("the same with all of them in a loop");
        test(false, true);
        test(true, true);
        TEST("what answers the helper is done when it speaks, and undone before what hears it");
        test_answers(0, " +spawn +attend +bind_gate +runtime_hooks +commit");
        test_answers(LAUNCH_RUNTIME_HOOKS, " +spawn +attend +bind_gate +runtime_hooks -runtime_hooks -bind_gate -attend -spawn");
        test_answers(LAUNCH_COMMIT, " +spawn +attend +bind_gate +runtime_hooks +commit -commit -runtime_hooks -bind_gate -attend "
                     "-spawn");
        return 0;
}
