/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/alloc.h"
#include "basic/str.h"

/* Moments, as RFC 3339 has them, in UTC. */

/* Now: "2026-01-01T00:00:00Z", with so many digits of a second. */
void text_add_now(Text *t, int digits);
/* That one, in µs since 1970, with as many. */
void text_add_moment(Text *t, uint64_t usec);
/* With all of them, from a. */
const char *moment_now(Arena *a);
/* That one, in µs since 1970. */
const char *moment_at(uint64_t usec, Arena *a);

/* How long ago that was, to people: "2min 5s ago". What is no moment is left as it is. */
void text_add_age(Text *t, const char *moment);

/* A moment, in µs since 1970: RFC 3339 ("2026-11-30T10:00:00+01:00"), "@" and seconds since 1970, or a time span, which is so
 * much before now (µs since 1970). */
int parse_moment(const char *s, uint64_t now, uint64_t *ret);
