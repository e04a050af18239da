/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/alloc.h"
#include "basic/error.h"
#include "host/caller.h"

/* Where containers are remembered: the root directory (--root), in which each has a directory (container.h). */
typedef struct Store {
        const Caller *caller;
        char *path;
        int fd;
} Store;

#define _cleanup_store_ _cleanup_(store_done)
void store_done(Store *s);

/* Opens the root directory, made (0700) when it is missing and create is set. Without create, a missing one is
 * an empty store. */
int store_open(const char *path, const Caller *caller, bool create, Store *ret, Error *reterr);

/* Ids of all containers, sorted; NULL-terminated, from a. */
int store_list(const Store *s, Arena *a, char ***ret, Error *reterr);
