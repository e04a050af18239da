/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "runtime/runtime.h"

/* What exec --detach has started in a supervised container, and how it ended. */
int ps_sessions(const Runtime *rt, const char *id, bool json, Error *reterr);
