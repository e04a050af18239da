/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-c/json.h>

#include "runtime/inspect.h"

/* What is known of a container, as `inspect` prints it. Every key is there always: what is not known, or is not, is null. */
json_object *inspection_object(const Inspection *i);
