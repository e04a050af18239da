/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "runtime/runtime.h"

/* The process that exec is to make: a command beside the container's own process, or --process, and the options on
 * top of either. It lives in spec's arena; of the spec, its own process is changed. */
int exec_process(const ExecOptions *options, Spec *spec, SpecProcess **ret, Error *reterr);
