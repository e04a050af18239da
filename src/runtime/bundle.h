/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "runtime/runtime.h"

/* The bundle as the caller gave it: its path, resolved, and the bytes of config.json or of the other file. */
int bundle_read(const CreateOptions *options, char **ret_path, char **ret_config, size_t *ret_size, Error *reterr);

/* That file's name as the caller gave it, for errors in it. */
const char *bundle_config_name(const CreateOptions *options, Arena *a);
