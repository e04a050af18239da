/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "basic/error.h"

/* Who we are: ids and capabilities by the system calls themselves; this program has one thread. */

/* Nobody may look at us, and when the runtime is killed we are, wherever we hang. Changing credentials may undo both, a
 * fork the latter. */
int credentials_hide(Error *e);
/* Until the next of these: who is not root may write to his own files in /proc only while others may look. Those others are
 * of the same user: never in a user namespace that was joined, or that has its maps. */
int credentials_show(Error *e);

#define CREDENTIALS_KEEP_GROUPS (1U << 0)    /* leaves the additional groups as they are */
#define CREDENTIALS_GROUPS_LENIENT (1U << 1) /* a user namespace may deny setgroups() */

/* Additional groups, then gid, then uid: real, effective, saved. Verified. -errno. */
int credentials_set(uid_t uid, gid_t gid, const gid_t *groups, size_t n_groups, unsigned flags);

typedef struct CapabilitySets {
        uint64_t effective, permitted, inheritable;
} CapabilitySets;

int capabilities_get(CapabilitySets *ret);
int capabilities_set(const CapabilitySets *sets);
