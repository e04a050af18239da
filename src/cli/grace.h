/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

#include "basic/error.h"

/* --time of the verbs that stop a container: µs, UINT64_MAX: for ever. NULL: STOP_GRACE_OWN. */
int grace_parse(const char *word, uint64_t *ret, Error *reterr);
