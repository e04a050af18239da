/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/alloc.h"
#include "basic/str.h"

#include <sys/types.h>

/* What the cgroup of a container, and its network namespace, have counted. What there is no file for is 0 or empty. */

typedef struct StatPair { const char *name; uint64_t value; } StatPair;

/* The share of time, in percent as the kernel prints it, in which some or all tasks waited; total in µs. */
typedef struct StatPressure {
        const char *averages[3];  /* of 10, 60 and 300 s */
        uint64_t total;
} StatPressure;

typedef struct StatPressures { bool set; StatPressure some, full; } StatPressures;

typedef struct StatMemory {
        uint64_t usage, peak, limit; /* bytes; limit UINT64_MAX: none */
        uint64_t failures;           /* how often the limit was hit */
} StatMemory;

typedef struct StatBlock { uint64_t major, minor, rbytes, wbytes, rios, wios; } StatBlock;
typedef struct StatHugePages { const char *size; uint64_t usage, failures; } StatHugePages;
typedef struct StatNetwork { const char *name; uint64_t rx[4], tx[4]; /* bytes, packets, errors, dropped */ } StatNetwork;
typedef struct StatSet { uint8_t *bits; size_t n; } StatSet; /* of numbers below n: has_bit() */

typedef struct Stats {
        struct { uint64_t usage, user, system, periods, throttled_periods, throttled; } cpu; /* times in µs */
        StatPressures cpu_pressure, memory_pressure, io_pressure;
        StatSet cpus, mems;          /* that it may use */
        StatMemory memory, swap;     /* swap alone */
        StatPair *memory_stat;
        size_t n_memory_stat;
        uint64_t pids, pids_limit;   /* limit 0: none */
        StatBlock *blocks;
        size_t n_blocks;
        StatHugePages *huge_pages;
        size_t n_huge_pages;
        StatNetwork *networks;
        size_t n_networks;
        Arena arena;
} Stats;

void stats_done(Stats *s);
#define _cleanup_stats_ _cleanup_(stats_done)

/* -ENODEV, -ENOENT: the cgroup is gone. */
int stats_read_cgroup(int cgroup, Stats *s);
/* The interfaces in the network namespace of a process. */
void stats_read_network(pid_t pid, Stats *s);

/* A number in a file of lines "KEY VALUE"; -ENODATA: no such line. */
int stats_read_key(int cgroup, const char *file, const char *key, uint64_t *ret);
