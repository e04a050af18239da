/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <string.h>

#include "basic/macro.h"

static inline bool streq(const char *a, const char *b) {
        return strcmp(a, b) == 0;
}

/* Equal, or both NULL. */
static inline bool streq_null(const char *a, const char *b) {
        return a && b ? streq(a, b) : a == b;
}

static inline bool isempty(const char *s) {
        return !s || s[0] == '\0';
}

/* The rest of s after the prefix, or NULL. */
static inline const char *startswith(const char *s, const char *prefix) {
        size_t n = strlen(prefix);

        return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

static inline bool endswith(const char *s, const char *suffix) {
        size_t n = strlen(s), m = strlen(suffix);

        return n >= m && streq(s + n - m, suffix);
}

/* s without the blanks around it; the end is cut off in place. */
char *strip(char *s);

/* Strict decimal (no sign but '-' where the type has one, no space, no octal, no overflow).
 * Return 0, -EINVAL or -ERANGE; *ret is set on success only. */
int parse_u64(const char *s, uint64_t *ret);
int parse_i64(const char *s, int64_t *ret);
int parse_u32(const char *s, uint32_t *ret);

/* 0 to 255 octal digits only, as in "0755". */
int parse_mode(const char *s, uint32_t *ret);

/* The largest NR_CPUS (and more than the largest number of memory nodes) that Linux can be built with. */
#define CPUS_MAX 8192

/* CPUs or memory nodes, "0-3,7", as the bits of a mask of that many bytes, which is zeroed by the caller: the first in the
 * lowest bit of the first byte. Blanks around commas, and nothing between them, do no harm. How many bytes are in use. */
int parse_bits(const char *list, uint8_t *bits, size_t size);
static inline bool has_bit(const uint8_t *bits, size_t i) {
        return bits[i / 8] >> (i % 8) & 1;
}

/* "9", "KILL", "SIGKILL", "sigkill", "RTMIN+3"; returns the number or -EINVAL. */
int parse_signal(const char *s);

/* The bytes of the character of UTF-8 that s begins with; 0 when it is none (overlong, a surrogate, cut off). */
size_t utf8_length(const char *s, const char *end);

/* 64-bit FNV-1a: to make names of, not against who looks for a collision. */
uint64_t hash_bytes(const void *bytes, size_t n);

/* Growing text. */
typedef struct Text {
        char *s;
        size_t n, room;
} Text;

#define _cleanup_text_ _cleanup_(text_done)
void text_done(Text *t);
void text_add(Text *t, const char *s);
void text_addn(Text *t, const char *s, size_t n);
void text_addf(Text *t, const char *fmt, ...) _printf_(2, 3);
/* s with control characters, '\\' and bytes of `also` written as \xNN; one line whatever the input. */
void text_add_escaped(Text *t, const char *s, const char *also);
/* s with control characters and bytes that are not UTF-8 as \\xNN, for people: one line, and nothing that speaks to a
 * terminal or breaks JSON. There is no way back. */
void text_add_printable(Text *t, const char *s);
/* "s" as JSON (RFC 8259): quote, backslash and controls escaped, bytes above 0x7f as they are (s is UTF-8). */
void text_add_json_string(Text *t, const char *s);
/* Undoes text_add_escaped() in place; -EINVAL when the text was not written by it. */
int unescape(char *s);
