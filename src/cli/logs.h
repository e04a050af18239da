/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "runtime/runtime.h"

/* The last lines that a container has written, with their times, on standard output. */
int logs_print_last(const Runtime *rt, const char *id, uint64_t lines, Error *reterr);
