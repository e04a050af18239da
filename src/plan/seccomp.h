/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "oci/spec.h"

/* SECCOMP_FILTER_FLAG_* of the flags list, as seccomp(2) takes them. */
unsigned seccomp_flags(const SpecSeccomp *seccomp);

/* Does a rule (or the default) use SCMP_ACT_NOTIFY? */
bool seccomp_notifies(const SpecSeccomp *seccomp);

/* What the kernel would answer to a call: SECCOMP_RET_*. As much of classic BPF as libseccomp and we write; of what is not
 * understood SECCOMP_RET_KILL_PROCESS. *ret_sure, if wanted: whatever the arguments are. */
uint32_t seccomp_run(const void *filter, size_t size, const struct seccomp_data *data, bool *ret_sure);
