/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/caller.h"
#include "oci/spec.h"

/* Hooks that the specification runs in the runtime's namespaces (config.md, "POSIX-platform Hooks"). */

/* What they are told, and by whom. */
typedef struct HookState {
        const Caller *caller; /* its environment is that of hooks without one */
        const Spec *spec;     /* its annotations */
        const char *id, *bundle;
        const char *status;   /* as state_json_hook() takes it */
        pid_t pid;            /* 0: none */
} HookState;

/* Runs all hooks of a kind in order and stops at the first that fails: exit status, signal or timeout, with what
 * it wrote. The state goes to its standard input. The failure of a poststop hook is logged, and the others follow. What
 * interrupts us (loop_interrupt()) ends the hook that runs as a timeout would. */
int hooks_run(const HookState *state, SpecHookKind kind, const SpecHooks *hooks, Error *reterr);
