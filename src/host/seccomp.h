/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/str.h"
#include "oci/spec.h"

/*
 * linux.seccomp to BPF (struct sock_filter[]) by libseccomp, which is loaded when first needed.
 * Syscalls and architectures that this libseccomp does not know are skipped, as other runtimes do; the names of the
 * former are added to ret_unknown, for people.
 */
int seccomp_compile(const SpecSeccomp *seccomp, void **ret, size_t *ret_size, Text *ret_unknown, Error *reterr);

/* Everything the filter depends on as bytes, for a cache whose key is compared byte by byte. */
void seccomp_cache_key(const SpecSeccomp *seccomp, Text *ret);
