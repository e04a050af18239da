/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/error.h"

/*
 * Whose word is taken. What a record, a copied config.json or a cached filter says is done with our privileges: hooks are
 * run, cgroups killed. So nobody may have written it but us and root; as sshd wants it of authorized_keys (StrictModes).
 * All look at a descriptor, return -EPERM, and begin their sentence with "cannot trust " and what.
 */

/* A directory to which nobody else can write. */
int trust_directory(int fd, const char *what, Error *reterr);

/* One that has been opened by its path: neither can those above it be changed by others, so that something else would be
 * at that path. Where everybody may write, a sticky bit keeps them from what is not theirs. */
int trust_path(int fd, const char *what, Error *reterr);
