/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/facts.h"

/* What the plans may ask about the host. */
extern const HostQueries host_queries;
