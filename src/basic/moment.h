/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/alloc.h"
#include "basic/str.h"

/* Moments, as RFC 3339 has them, in UTC. */

/* Now: "2026-01-01T00:00:00Z", with so many digits of a second. */
void text_add_now(Text *t, int digits);
/* With all of them, from a. */
const char *moment_now(Arena *a);

/* How long ago that was, to people: "2min 5s ago". What is no moment is left as it is. */
void text_add_age(Text *t, const char *moment);
