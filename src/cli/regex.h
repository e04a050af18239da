/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "runtime/runtime.h"

/* For --regex: calls the function for each container whose whole id matches; goes on after a failure and returns the
 * first. */
int regex_for_each(const Runtime *rt, const char *pattern,
                   int (*function)(const Runtime *rt, const char *id, void *userdata, Error *reterr), void *userdata,
                   Error *reterr);
