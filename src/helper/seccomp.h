/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/init/plan.h"

/* Loads the filter of an INIT_SECCOMP; the listener, when there is one, or 0. -errno. */
int seccomp_load(const InitSeccomp *s);
