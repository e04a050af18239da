/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

#include "basic/error.h"
#include "basic/str.h"

/*
 * Whether the text is JSON (RFC 8259) is decided here, json-c only makes the tree. It lets pass comments, single quotes,
 * NaN, commas at the end, overlong UTF-8, "\u0000" (which cuts names short), raw control characters and integers that do
 * not fit (it takes the nearest that does), more or less of that in each version, and even when it is told to be strict.
 */

/* Tells the number of names (of properties, in all objects), which are fewer in json-c's tree when there are
 * duplicates: the last one wins there. */
int json_text_check(const char *bytes, size_t size, size_t *ret_names, Error *reterr);

/* The error for a text that has passed the check. */
int json_text_duplicate(const char *bytes, size_t size, Error *reterr);

/* Appends a property to a path: ".name" (or "name" at its beginning), or ["name"] when it is no plain word. */
void json_path_add(Text *path, const char *name);
