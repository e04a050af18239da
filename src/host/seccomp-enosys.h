/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/str.h"
#include "oci/spec.h"
#include "host/seccomp-library.h"

/*
 * Programs find out what the kernel can by trying, and take ENOSYS for "no". A profile denies what it does
 * not list, mostly with EPERM, and so breaks programs that try a syscall which is younger than the profile.
 * So what comes after the newest syscall that the profile mentions, on each architecture, gets ENOSYS: this
 * is a piece of BPF before libseccomp's. It falls through to what follows it; empty when the default action
 * lets syscalls pass.
 */
void seccomp_enosys_stub(const SeccompLibrary *library, const SpecSeccomp *seccomp, const uint32_t *archs,
                         size_t n_archs, Text *ret);
