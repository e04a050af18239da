/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "runtime/runtime.h"

/* The container of that id, as container_open() has it: how each verb begins that is about one. */
int runtime_find(const Runtime *rt, const char *id, LockMode lock, Container *ret, Error *reterr);
