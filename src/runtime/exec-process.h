/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "runtime/runtime.h"

/* The bytes of --process, for free(); NULL: there is none. */
int exec_read_process(const ExecOptions *o, char **ret, size_t *ret_size, Error *reterr);

/* The process that exec is to make: a command beside the container's own process, or --process, and the options on
 * top of either. It lives in spec's arena; of the spec, its own process is changed. */
int exec_process(const ExecOptions *o, const char *bytes, size_t size, Spec *spec, SpecProcess **ret, Error *reterr);
