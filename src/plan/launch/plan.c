/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/launch/plan.h"

#include <inttypes.h>

void launch_plan_done(LaunchPlan *plan) {
        free(plan->steps);
        *plan = (LaunchPlan){};
}

LaunchStep *launch_plan_add(LaunchPlan *plan, LaunchOp op) {
        GREW(plan->steps, plan->n_steps);
        plan->steps[plan->n_steps] = (LaunchStep){ .op = op, .answers = plan->answering };
        return &plan->steps[plan->n_steps++];
}

/* With '-' in the place of '_'. */
static void add_word(Text *text, const char *word) {
        for (; *word; word++)
                text_addn(text, *word == '_' ? "-" : word, 1);
}

static const char *const names[_LAUNCH_OP_MAX] = {
#define STEP(OP, step, ...) [LAUNCH_##OP] = #step,
#include "plan/launch/steps.def"
};

static const char *const undone[_LAUNCH_OP_MAX] = {
#define OPERAND(kind, type, name)
#define UNDONE(text) text
#define STEP(OP, step, Step, ...) [LAUNCH_##OP] = "" __VA_ARGS__,
#include "plan/launch/steps.def"
};

const char *launch_op_name(LaunchOp op) {
        return op > _LAUNCH_OP_NONE && op < _LAUNCH_OP_MAX ? names[op] : "?";
}

static void print_string(Text *text, const char *name, const char *value) {
        if (!value)
                return;
        text_addf(text, " %s=", name);
        text_add_escaped(text, value, " ,");
}

static void print_number(Text *text, const char *name, uint64_t value) {
        text_addf(text, " %s=%" PRIu64, name, value);
}

static void print_hooks(Text *text, const char *name, const SpecHooks *hooks) {
        text_addf(text, " %s=[", name);
        for (size_t i = 0; i < hooks->n; i++) {
                text_add(text, i > 0 ? "," : "");
                text_add_escaped(text, hooks->hooks[i].path, " ,");
        }
        text_add(text, "]");
}

static void print_limit(Text *text, const UnitProp *p) {
        print_string(text, "property", p->name);
        print_string(text, "file", unit_prop_file(p));
}

static void print_write(Text *text, const CgroupWrite *w) {
        print_string(text, "file", w->file);
        print_string(text, "value", w->value);
        print_string(text, "instead_of", w->instead_of);
}

#define PRINT_STRING(name) print_string(text, #name, s->name);
#define PRINT_PID(name) print_number(text, #name, (uint64_t) s->name);
#define PRINT_U64(name) print_number(text, #name, s->name);
#define PRINT_FLAG(name) text_add(text, s->name ? " " #name : "");
#define PRINT_HOOKS(name) print_hooks(text, #name, &s->name);
#define PRINT_PROPERTIES(name) print_number(text, #name, s->name->n_props);
#define PRINT_LIMIT(name) print_limit(text, s->name);
#define PRINT_RULES(name) print_number(text, #name, s->name->n_rules);
#define PRINT_WRITE(name) print_write(text, s->name);

static void print_operands(const LaunchStep *step, Text *text) {
        switch (step->op) {
#define OPERAND(kind, type, name) PRINT_##kind(name)
#define STEP(OP, step_, Step, ...)                           \
        case LAUNCH_##OP: {                                  \
                const Launch##Step *s _unused_ = &step->step_; \
                                                             \
                __VA_ARGS__                                  \
                break;                                       \
        }
#include "plan/launch/steps.def"
        default:
                break;
        }
}

void launch_plan_print(const LaunchPlan *plan, Text *text) {
        for (const LaunchStep *s = plan->steps; s < plan->steps + plan->n_steps; s++) {
                if (s->answers)
                        text_addf(text, "    on %s: ", launch_message_name(s->answers));
                add_word(text, launch_op_name(s->op));
                print_operands(s, text);
                if (!isempty(undone[s->op]))
                        text_addf(text, " # undone: %s", undone[s->op]);
                text_add(text, "\n");
        }
}
