/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-c/json.h>

enum { LIST_ID, LIST_PID, LIST_STATUS, LIST_BUNDLE, LIST_CREATED, LIST_OWNER, LIST_COLUMNS };
/* Of what `state` prints. */
static const char *const list_keys[LIST_COLUMNS] = { "id", "pid", "status", "bundle", "created", "owner" };
static const char *const list_titles[LIST_COLUMNS] = { "ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER" };

/* The table for a terminal: no wider than that, where that is possible, and with times as "2min ago". */
void print_for_people(json_object *rows);
