/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "basic/alloc.h"
#include "basic/str.h"
#include "host/unit-ref.h"

/*
 * What we write down about a container: only what systemd and the kernel cannot tell. One file of "key=value"
 * lines, private to this program; written before the unit and before the child exist, replaced when they do.
 */
typedef struct RecordPair { const char *key, *value; } RecordPair;

typedef struct Record {
        const char *id;
        const char *oci_version;
        const char *bundle, *rootfs;
        const char *created;         /* RFC 3339 with nanoseconds, UTC */
        uint32_t owner;              /* uid of the creator */
        const char *boot_id;         /* of the boot that it belongs to */
        bool user_manager;           /* its unit lives in the user's manager */
        const char *unit, *slice;    /* NULL: no scope */
        const char *cgroup;          /* as in /proc/PID/cgroup; NULL: none of its own, or nothing is known to be in the
                                      * scope yet. With no unit it was made by us, below one of the caller's */
        uint64_t cgroup_id;          /* which one that is: another at this path has another (cgroup_id()); 0: not known */
        const char *invocation_id;   /* which start of the unit; NULL: not known */
        bool committed;              /* create succeeded */
        pid_t pid;                   /* 0: not known yet. Before the commit it is that of a process which still may go */
        uint64_t start_time;         /* of pid, in clock ticks: /proc/PID/stat field 22 */
        int namespaces;              /* CLONE_NEW* that the container does not share with the runtime */
        uint64_t mount_id;           /* of the rootfs, where it is mounted in a mount namespace of others; or 0 */
        bool has_poststart, has_poststop;
        bool notifies;               /* `start` is given what it notifies by */
        const char *stop_signal;     /* or NULL */
        const char *keyring;         /* the name of its session keyring, known to nobody else; NULL: it has none of its own */
        const char *rdt_group;       /* of resctrl, or NULL */
        bool rdt_own, rdt_monitored; /* that group was made for it; there is one of its name below, in mon_groups */
        RecordPair *annotations;
        size_t n_annotations;
        Arena arena;
} Record;

void record_done(Record *r);

static inline UnitRef record_unit(const Record *r) {
        return (UnitRef){ .name = r->unit, .invocation = r->invocation_id };
}

/* To text and back; decode() refuses what it did not write (-EBADMSG) and changes bytes. */
void record_encode(const Record *r, Text *ret);
int record_decode(char *bytes, Record *ret);
