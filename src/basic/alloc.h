/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdlib.h>

#include "basic/macro.h"

/*
 * Memory. Running out of it ends the process with a message (oom()): a runtime that cannot get a few
 * kilobytes can do nothing useful, and the write-ahead record makes dying at any point safe.
 *
 * Whatever lives as long as a document or a plan comes from its Arena and is freed with it.
 */

#define _cleanup_free_ _cleanup_(freep)
static inline void freep(void *p) {
        free(*(void **) p);
}

_noreturn_ void oom(void);
void *xmalloc0(size_t size);
void *xreallocarray(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xasprintf(const char *fmt, ...) _printf_(1, 2);

/* Makes room for one more element of an array that grows: doubles when n is a power of two (or 0). */
#define GREW(array, n)                                                                           \
        do {                                                                                     \
                if (((n) & ((n) -1)) == 0)                                                       \
                        (array) = xreallocarray((array), (n) ? 2 * (n) : 1, sizeof(*(array)));   \
        } while (0)

typedef struct ArenaChunk ArenaChunk;
typedef struct Arena {
        ArenaChunk *last;
} Arena;

/* Zeroed memory, aligned for any type, alive until arena_done(). */
void *arena_alloc(Arena *a, size_t size);
void *arena_calloc(Arena *a, size_t n, size_t size);
char *arena_strdup(Arena *a, const char *s);
char *arena_strndup(Arena *a, const char *s, size_t n);
char *arena_printf(Arena *a, const char *fmt, ...) _printf_(2, 3);
void arena_done(Arena *a);

/* A list of strings that grows in an arena; s is NULL-terminated, and NULL while there is none. */
typedef struct Strings {
        const char **s;
        size_t n;
} Strings;

void strings_add(Arena *a, Strings *list, const char *s);
