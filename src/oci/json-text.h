/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

#include "basic/error.h"
#include "basic/str.h"

/*
 * What json-c lets pass even when it is told to be strict: integers that do not fit (it takes the nearest that
 * does), single quotes, NaN, overlong UTF-8, "\u0000" (which cuts names short), raw control characters. Here the
 * text is looked at token by token; whether the tokens make sense together is left to json-c.
 */

/* Tells the number of names (of properties, in all objects), which are fewer in json-c's tree when there are
 * duplicates: the last one wins there. */
int json_text_check(const char *bytes, size_t size, size_t *ret_names, Error *reterr);

/* Errors for a text that has passed the check. offset: where json-c stopped. */
int json_text_error(const char *bytes, size_t size, size_t offset, const char *problem, Error *reterr);
int json_text_duplicate(const char *bytes, size_t size, Error *reterr);

/* Appends a property to a path: ".name" (or "name" at its beginning), or ["name"] when it is no plain word. */
void json_path_add(Text *path, const char *name);
