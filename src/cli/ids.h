/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "runtime/runtime.h"

/* What a verb does to one container. */
typedef int (*OnContainer)(const Runtime *rt, const char *id, void *userdata, Error *reterr);

/* Does it to each of the words (NULL-terminated) or, with --regex, to each container in whose id one of them is found.
 * With more than one, a failure does not keep it from the others: each error is printed with its id, and the exit status
 * is 1. */
int on_each(const Runtime *rt, char **words, bool regex, OnContainer function, void *userdata, Error *reterr);
