/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/alloc.h"

/* What is known of the variables of a service: lists of "NAME=VALUE", NULL-terminated. */
typedef struct ServiceVariables {
        const char *const *all;      /* that it was called with */
        const char *const *unit;     /* Environment= */
        const char *const *passed;   /* PassEnvironment=, names */
        const char *const *manager;  /* that systemd has for all services */
} ServiceVariables;

/* Those of all that the unit and its drop-ins have set, in a. */
const char **service_environment_select(Arena *a, const ServiceVariables *v);
