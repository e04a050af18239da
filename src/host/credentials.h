/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/alloc.h"
#include "basic/error.h"
#include "plan/facts.h"

/* systemd's credentials of a service (LoadCredential=, SetCredential=): the files of $CREDENTIALS_DIRECTORY, in a. */
int credentials_read(const char *directory, Arena *a, Credential **ret, size_t *ret_n, Error *reterr);
