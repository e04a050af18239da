/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/store.h"
#include "oci/spec.h"

/*
 * The compiled seccomp filter of a container: from the cache below the root directory, or compiled and put there.
 * Compiling takes 13 ms and loads libseccomp; engines use one profile for thousands of containers.
 */
typedef struct Filter {
        char *bytes;         /* the file: what the filter was made from, the names that it leaves out, the filter */
        const char *unknown; /* in bytes: the names, or NULL */
        const char *bpf;     /* in bytes; NULL: no seccomp */
        size_t size;
} Filter;

#define _cleanup_filter_ _cleanup_(filter_done)
void filter_done(Filter *f);

int filter_get(const Store *store, const SpecSeccomp *seccomp, Filter *ret, Error *reterr);
