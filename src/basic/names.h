/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Words for numbers, one list for all who read or say them; the end has no name. */
typedef struct Name {
        const char *name;
        int value;
} Name;

extern const Name namespace_names[]; /* "mount": CLONE_NEWNS, in the order of words */
extern const Name rlimit_names[];    /* "RLIMIT_NOFILE" */

/* The row of that word, or NULL. */
const Name *name_find(const Name *names, const char *name);
/* The first word for that number, or NULL. */
const char *name_of(const Name *names, int value);
