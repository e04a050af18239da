/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/alloc.h"
#include "basic/str.h"
#include "oci/spec.h"
#include "plan/init/plan.h"
#include "plan/init/protocol.h"
#include "plan/launch/record.h"
#include "plan/unit/plan.h"

/*
 * The launch plan: what the launcher does, step by step, beside systemd (unit/plan.h) and the helper (init/plan.h), and how
 * that is undone. It is data: built by pure functions, printed one line a step, executed by an operation (steps/operation.h).
 *
 * What steps there are: steps.def.
 */
typedef enum LaunchOp {
        _LAUNCH_OP_NONE,
#define STEP(OP, ...) LAUNCH_##OP,
#include "plan/launch/steps.def"
        _LAUNCH_OP_MAX,
} LaunchOp;

#define OPERAND(kind, type, name) type name;
#define STEP(OP, step, Step, ...) typedef struct Launch##Step { __VA_ARGS__ } Launch##Step;
#include "plan/launch/steps.def"

/* Beside the messages of the helper this is answered: the home is there, be it a scope that systemd has started or a cgroup
 * that we have made. It is in the record, and has no limits yet but the properties of the scope. */
enum { LAUNCH_HOME = _INIT_MSG_MAX };

typedef struct LaunchStep {
        LaunchOp op;
        unsigned answers;       /* a message of the helper (InitMessageType), or LAUNCH_HOME; 0: it is done in its turn */
        union {
#define STEP(OP, step, Step, ...) Launch##Step step;
#include "plan/launch/steps.def"
        };
} LaunchStep;

typedef struct LaunchPlan {
        LaunchStep *steps;
        size_t n_steps;
        unsigned answering;     /* what the next to be added answers */
} LaunchPlan;

#define _cleanup_launch_plan_ _cleanup_(launch_plan_done)
void launch_plan_done(LaunchPlan *plan);

/* Appends a step, zeroed but for its op. Valid until the next call. */
LaunchStep *launch_plan_add(LaunchPlan *plan, LaunchOp op);

/* *launch_add_forget(plan) = (LaunchForget){ … } */
#define STEP(OP, step, Step, ...)                                         \
        static inline Launch##Step *launch_add_##step(LaunchPlan *plan) { \
                return &launch_plan_add(plan, LAUNCH_##OP)->step;         \
        }
#include "plan/launch/steps.def"

/* "stop-unit", "forget": as printed. */
const char *launch_op_name(LaunchOp op);
/* One line a step, "stop-unit name=web.scope": for people and goldens. */
void launch_plan_print(const LaunchPlan *plan, Text *text);

/* The end of a container, whatever became of it: what its record says, in the arena of that. this_boot: the record is of the
 * boot that we are in; of an earlier one nothing is left but files. */
void launch_plan_remove(const Record *record, bool this_boot, LaunchPlan *ret);

/* New limits for a container that runs: what the unit plan of an update says, which has to live as long. */
void launch_plan_update(const UnitPlan *unit, const LimitsNow *now, LaunchPlan *ret);

/* What a step of the helper says to the launcher, or 0. inside: it is behind INIT_FORK_INSIDE. */
InitMessageType launch_message_of(const InitStep *step, bool inside);
/* "hooks", "home": as printed. */
const char *launch_message_name(unsigned message);

/* Limits of a new container, of which its unit plan says what systemd does not do. */
void launch_plan_add_limits(const UnitPlan *unit, LaunchPlan *plan);

/* A container, up to a process that waits at the gate or, for run, has executed its program. */
typedef struct LaunchCreation {
        const Spec *spec;
        const char *id;
        const UnitPlan *unit;   /* empty: HOME_NONE */
        const InitPlan *init;
        const RdtPlan *rdt;
        bool start_now;         /* run */
        bool sends_terminal, sends_pidfd; /* over a socket of the caller's */
        const char *pid_file;   /* or NULL */
} LaunchCreation;
/* HOME_SERVICE: what we do when systemd has called us. */
void launch_plan_create(const LaunchCreation *c, LaunchPlan *ret);
/* And before that, to have it call us. */
void launch_plan_supervise(const LaunchCreation *c, LaunchPlan *ret);

/* One more process in a container. */
typedef struct LaunchExec {
        const InitPlan *init;
        const char *rdt_group, *rdt_monitor; /* or NULL */
        bool sends_terminal, sends_pidfd;
        const char *pid_file;
        bool session; /* systemd has called us for it, and collects it */
        bool apart;   /* it is born in our cgroup */
} LaunchExec;
void launch_plan_exec(const LaunchExec *e, LaunchPlan *ret);
/* And before that of a session, to have systemd call us. */
void launch_plan_session(const char *name, const UnitPlan *unit, const char *pid_file, LaunchPlan *ret);
