/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "oci/spec.h"

/*
 * Sends a seccomp listener to linux.seccomp.listenerPath, with the container process state that the specification
 * describes (config-linux.md, "The Container Process State") in front of it.
 */
typedef struct ListenerState {
        const char *id, *bundle, *status;
        pid_t pid;            /* whose filter it is */
        pid_t init;           /* the container's */
} ListenerState;

int listener_send(const Spec *spec, const ListenerState *state, int listener, Error *reterr);
