/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <seccomp.h>

#include "basic/error.h"

/*
 * libseccomp, loaded when a profile has to be compiled: most calls of the runtime have none, or find the
 * filter in the cache, and would only pay for the loading.
 */
#define SECCOMP_FUNCTIONS(X)                                                                            \
        X(api_set) X(arch_add) X(arch_exist) X(arch_native) X(arch_resolve_name) X(attr_set)            \
        X(export_bpf) X(init) X(release) X(rule_add_array) X(syscall_resolve_name)                      \
        X(syscall_resolve_name_arch)

typedef struct SeccompLibrary {
#define X(function) typeof(seccomp_##function) *function;
        SECCOMP_FUNCTIONS(X)
#undef X
        /* Since 2.6, or NULL. */
        int (*export_bpf_mem)(scmp_filter_ctx ctx, void *buffer, size_t *size);
} SeccompLibrary;

int seccomp_library(const SeccompLibrary **ret, Error *reterr);
