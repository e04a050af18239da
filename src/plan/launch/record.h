/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "basic/alloc.h"
#include "basic/str.h"
#include "oci/spec.h"
#include "plan/rdt-plan.h"
#include "plan/unit/plan.h"

/*
 * What we write down about a container: only what systemd and the kernel cannot tell, and what its start and its end need of
 * config.json, so that these do not depend on how a later version reads that. One file of "key=value" lines, private to this
 * program; written before the unit and before the child exist, replaced when they do.
 */

/* What is written. Version 1, that of ocirt-sd 0.1.0, has no hooks, no namespaces, no has_process and no has_start_hooks: these
 * are in config.json still (container_complete()). */
#define RECORD_VERSION 2

typedef struct Record {
        uint32_t version;            /* of that which was read; to be written it is RECORD_VERSION */
        const char *id;
        const char *oci_version;
        const char *bundle, *rootfs;
        const char *created;         /* RFC 3339 with nanoseconds, UTC */
        const char *started;         /* the same, when its program was let go, last; NULL: not yet, or not known */
        uint32_t owner;              /* uid of the creator */
        const char *boot_id;         /* of the boot that it belongs to */
        bool user_manager;           /* its unit lives in the user's manager */
        Home home;                   /* told by what follows */
        const char *unit, *slice;    /* home_is_unit(); HOME_IN_SERVICE: the unit that it is in */
        const char *cgroup;          /* as in /proc/PID/cgroup; NULL: none of its own, or nothing is known to be in the
                                      * scope yet */
        uint64_t cgroup_id;          /* which one that is: another at this path has another (cgroup_id()); 0: not known */
        const char *invocation_id;   /* which start of the unit; NULL: not known. In version 1 the mark of HOME_CGROUP */
        bool committed;              /* create succeeded */
        pid_t pid;                   /* 0: not known yet. Before the commit it is that of a process which still may go */
        uint64_t start_time;         /* of pid, in clock ticks: /proc/PID/stat field 22 */
        int namespaces;              /* CLONE_NEW* that the container does not share with the runtime */
        uint64_t mount_id;           /* of the rootfs, where it is mounted in a mount namespace of others; or 0 */
        bool notifies;               /* `start` is given what it notifies by */
        const char *stop_signal;     /* or NULL */
        const char *keyring;         /* the name of its session keyring, known to nobody else; NULL: it has none of its own */
        const char *rdt_group;       /* of resctrl, or NULL */
        bool rdt_own, rdt_monitored; /* that group was made for it; there is one of its name below, in mon_groups */
        bool kept;                   /* who waits for its end writes down how that was */
        bool waits;                  /* HOME_SERVICE: for `start`, which has not come yet */
        bool no_pivot;               /* how it is to be made, each time */
        const char *restart;
        uint64_t stop_timeout;       /* µs; 0: it is not said */
        const char *const *properties; /* as in Supervision */
        bool has_process;            /* something is to be started */
        bool has_start_hooks;        /* and by the container itself hooks, first */
        SpecHooks hooks[_HOOK_KINDS];/* of poststart and poststop */
        SpecNamespace *namespace_paths; /* that lead to its mounts, if these are in a mount namespace of others */
        size_t n_namespace_paths;
        SpecKeyValue *annotations;
        size_t n_annotations;
        Arena arena;
} Record;

void record_done(Record *r);

/* The number: that of stop_signal, or SIGTERM. */
int record_stop_signal(const Record *r);
/* May systemd start it again by itself? */
bool record_may_begin_again(const Record *r);
/* Of config.json what the record has of it, in the arena of that. */
Spec record_spec(const Record *r);
/* And of that what belongs into a record. */
void record_keep(Record *r, const Spec *spec);
/* What is known of a container before any of it exists: enough to take it away, whatever of it has come about. */
void record_plan(Record *r, const char *id, const char *bundle, const Spec *spec, const UnitPlan *unit, const RdtPlan *rdt);

/* What the container's lines are called in the journal (SYSLOG_IDENTIFIER=), and no others: those of another container that
 * ever has its id are called otherwise. In a. */
const char *record_log_name(const Record *r, Arena *a);

/* The unit that systemd starts when that of a supervised container has ended. In a. */
const char *record_end_unit(const Record *r, Arena *a);

/* To text and back; decode() refuses what it did not write (-EBADMSG) and changes bytes. */
void record_encode(const Record *r, Text *ret);
int record_decode(char *bytes, Record *ret);
