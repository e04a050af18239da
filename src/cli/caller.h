/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/caller.h"

/* This process, as it was called. */
Caller caller_find(void);
/* Where it was executed; NULL: nowhere that lasts. */
const char *caller_program(void);
