/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

#include "basic/str.h"

/* The candidate that was meant, for "did you mean": the shortest that begins or ends with the word in either case, else
 * the one that differs least; NULL when none is near. */
const char *nearest(const char *word, const char *const *candidates, size_t n);

/* After an unknown word: ", did you mean CANDIDATE?", or ", expected A, B or C" where there are few, or nothing. */
void text_add_known(Text *t, const char *word, const char *const *candidates, size_t n);
