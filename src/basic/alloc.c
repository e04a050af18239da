/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CHUNK_MIN 8192U
#define ALIGN (_Alignof(max_align_t))

struct ArenaChunk {
        ArenaChunk *previous;
        size_t used, size;
        _Alignas(max_align_t) char bytes[];
};

void oom(void) {
        static const char text[] = "ocirt-sd: out of memory\n";

        (void) !write(STDERR_FILENO, text, sizeof(text) - 1);
        abort();
}

void *xmalloc0(size_t size) {
        void *p = calloc(1, size ?: 1);

        if (!p)
                oom();
        return p;
}

void *xreallocarray(void *p, size_t n, size_t size) {
        p = reallocarray(p, n, size);
        if (!p)
                oom();
        return p;
}

char *xstrdup(const char *s) {
        char *copy = strdup(s);

        if (!copy)
                oom();
        return copy;
}

char *xasprintf(const char *fmt, ...) {
        va_list ap;
        char *s;

        va_start(ap, fmt);
        if (vasprintf(&s, fmt, ap) < 0)
                oom();
        va_end(ap);
        return s;
}

void *arena_alloc(Arena *a, size_t size) {
        ArenaChunk *c = a->last;
        void *p;

        if (size > SIZE_MAX / 2)
                oom();
        size = (size + ALIGN - 1) / ALIGN * ALIGN;
        if (!c || c->size - c->used < size) {
                size_t bytes = MAX(size, (size_t) CHUNK_MIN);

                c = xmalloc0(sizeof(*c) + bytes);
                c->size = bytes;
                c->previous = a->last;
                a->last = c;
        }
        p = c->bytes + c->used;
        c->used += size;
        return p;
}

void *arena_calloc(Arena *a, size_t n, size_t size) {
        size_t bytes;

        if (__builtin_mul_overflow(n, size, &bytes))
                oom();
        return arena_alloc(a, bytes);
}

static char *copy_bytes(Arena *a, const char *s, size_t n) {
        char *copy = arena_alloc(a, n + 1);

        memcpy(copy, s, n);
        return copy;
}

char *arena_strndup(Arena *a, const char *s, size_t n) {
        return copy_bytes(a, s, strnlen(s, n));
}

char *arena_strdup(Arena *a, const char *s) {
        return copy_bytes(a, s, strlen(s));
}

char *arena_printf(Arena *a, const char *fmt, ...) {
        _cleanup_free_ char *s = NULL;
        va_list ap;

        va_start(ap, fmt);
        if (vasprintf(&s, fmt, ap) < 0)
                oom();
        va_end(ap);
        return arena_strdup(a, s);
}

void arena_done(Arena *a) {
        while (a->last) {
                ArenaChunk *c = a->last;

                a->last = c->previous;
                free(c);
        }
}

void strings_add(Arena *a, Strings *list, const char *s) {
        if (((list->n + 1) & list->n) == 0) { /* twice the room, and it is zeroed: what is behind the last is NULL */
                const char **grown = arena_calloc(a, 2 * (list->n + 1), sizeof(*grown));

                if (list->n > 0)
                        memcpy(grown, list->s, list->n * sizeof(*grown));
                list->s = grown;
        }
        list->s[list->n++] = s;
}
