/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "host/launch.h"
#include "basic/error.h"
#include "oci/spec.h"

/*
 * User namespaces: the one that we are in, and the id maps of new ones (user_namespaces(7)).
 */

/* Are we in the machine's first one? */
bool userns_is_initial(void);

/* Our uid as it is known outside of ours: that of the user behind it, whose systemd it is. */
uint32_t userns_outer_uid(void);

/* What these ids of the user namespace of that process are in ours; false if one of them is not mapped. */
bool userns_outer_ids(pid_t pid, uint32_t uid, uint32_t gid, uint32_t *ret_uid, uint32_t *ret_gid);

/* Is setgroups(2) denied in ours, and so in all that are made in it? */
bool userns_denies_setgroups(void);

/* Writes the maps of the helper's new user namespace: by ourselves what we may write, by newuidmap and newgidmap what
 * /etc/subuid and /etc/subgid allow. */
int userns_write_maps(const Launch *l, const SpecLinux *spec, Error *reterr);
