/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/unit/internal.h"
#include "plan/unit/variant.h"

/* Values of properties as unit files have them (systemd.unit(5), systemd.service(5), systemd.resource-control(5)). */

/* Of any kind but TEXT_CPUS, TEXT_NODES and TEXT_STATUSES. A share of memory or of tasks is of type u, and its property has
 * another name: "MemoryMaxScale". Strings are a's. -EINVAL, -ERANGE. */
int text_parse(const Property *p, const char *text, Arena *a, Variant *ret);

/* TEXT_STATUSES: exit statuses, and signals. Lists are a's. -EINVAL. */
int text_parse_statuses(const char *text, Arena *a, UnitProp *ret);

/* "a number from 1 to 10000": what the property takes. */
void text_add_expected(Text *t, const Property *p);
