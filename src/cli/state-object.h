/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-c/json.h>

#include "runtime/runtime.h"

/* The state document (runtime.md, "State") with runc's additions: pid 0 when stopped, rootfs, created, owner ("root", or
 * "#1000" when nobody has that uid here). */
json_object *state_object(const Container *c);

/* Prints it, indented by two spaces or on one line. */
void print_object(json_object *object, bool pretty);
