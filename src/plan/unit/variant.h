/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/unit/plan.h"

/*
 * GVariant's text format, as far as unit properties of scopes need it: booleans, numbers, strings and lists
 * of strings, with the type annotations "uint64 5" and "@t 5".
 */
typedef struct Variant {
        char type;           /* b y n q i u x t d s as on D-Bus, 'a' for as; '\0': a number without a type */
        uint64_t u;          /* b and numbers that are not negative */
        int64_t i;           /* numbers that fit, negative ones */
        bool negative;
        double d;            /* all numbers */
        const char *s;
        const char **items;
        size_t n_items;
} Variant;

/* The whole text; strings are a's. -EINVAL. */
int variant_parse(const char *text, Arena *a, Variant *ret);

/* Is it of that type, or a number without a type which that type can hold? -EINVAL else. */
int variant_convert(Variant *v, UnitType type);

/* A string to the list of its words. */
void variant_split(Variant *v, Arena *a);

/* Any number that is not negative, as seconds, to a uint64 of µs. -EINVAL. */
int variant_seconds_to_usec(Variant *v);
