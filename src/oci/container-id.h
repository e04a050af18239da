/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

/* Is this a container id? [A-Za-z0-9_+.-], 1 to 200 bytes, not starting with "." or "-". */
bool container_id_is_valid(const char *id);
