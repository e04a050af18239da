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

/* Another effective uid alone, where we may have it, and the capabilities as they are; nobody may look. -errno. */
int credentials_act_as(uid_t uid);
/* One that nobody has but by chance. The maker's owns a user namespace, with all power in it, and is counted: as 0, which that
 * of containers may be, it would be theirs, and they could use up the number. */
int credentials_act_as_nobody(void);

/* Additional groups, then gid, then uid: real, effective, saved. Verified. -errno. */
int credentials_set(uid_t uid, gid_t gid, const gid_t *groups, size_t n_groups, unsigned flags);

typedef struct CapabilitySets {
        uint64_t effective, permitted, inheritable;
} CapabilitySets;

int capabilities_get(CapabilitySets *ret);
int capabilities_set(const CapabilitySets *sets);
