/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <linux/bpf.h>

#include "plan/unit/plan.h"

/* The rules of a unit plan as a program for BPF_PROG_TYPE_CGROUP_DEVICE, which returns 1 for what they allow. For
 * free(). */
struct bpf_insn *device_program(const DeviceRule *rules, size_t n_rules, size_t *ret_n);
