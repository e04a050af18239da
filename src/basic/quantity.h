/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/str.h"

/* Amounts as people write them. Return 0, -EINVAL or -ERANGE; *ret is set on success only. */

/* A time span in µs as systemd.time(7) has it: "90", "5s", "1min 30s", "1.5h", "infinity" (UINT64_MAX). A number alone
 * is seconds. What Go prints ("1m30s", "10ns") is the same, or means the same. */
int parse_timespan(const char *s, uint64_t *ret);

/* Bytes as Podman and Docker have it: "65536", "64k", "64mb", "1.5GiB", all of them units of 1024; "-1" is -1. */
int parse_bytes(const char *s, int64_t *ret);

/* "5s", "2min 5s", "3h 20min", "4 days": how long that is, to people. */
void text_add_timespan(Text *t, uint64_t usec);
