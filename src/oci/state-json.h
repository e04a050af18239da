/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/str.h"
#include "oci/spec.h"

/*
 * The state document of the specification (runtime.md, "State") as hooks get it on stdin, in two parts: the pid
 * belongs between them, in decimal. Who runs the hook knows it, who makes the text does not yet.
 *
 * status: "created" until the program runs, of the hooks of create too: they belong to the steps of the life that come
 * after the one in which the container is "creating". Then "running", and "stopped".
 */
void state_json_hook(const Spec *spec, const char *id, const char *status, const char *bundle, Text *head,
                     Text *tail);
