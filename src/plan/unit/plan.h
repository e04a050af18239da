/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/str.h"
#include "plan/facts.h"
#include "plan/home.h"

/*
 * The unit plan: the transient scope, or service, of a container as data: name, slice, the list of unit properties with their
 * D-Bus types (org.freedesktop.systemd1(5), systemd.scope(5), systemd.resource-control(5)), and the few cgroup
 * files that no unit property expresses. Built by pure functions, printed for the golden tests, marshalled by
 * host/marshal.c, which alone knows D-Bus.
 */

typedef enum UnitType {
        UNIT_BOOL,
        UNIT_I32,
        UNIT_U32,
        UNIT_U64,       /* UINT64_MAX prints as "infinity" */
        UNIT_STRING,
        UNIT_STRV,
        UNIT_BYTES,     /* CPU and node masks */
        UNIT_PAIRS,     /* DeviceAllow */
        UNIT_WEIGHTS,   /* IODeviceWeight, IOReadBandwidthMax, … */
        UNIT_COMMAND,   /* the one command of ExecStart, …: its words, of which the first is a path */
        UNIT_FIELDS,    /* LogExtraFields */
        UNIT_STATUSES,  /* SuccessExitStatus, … */
} UnitType;

/* On D-Bus, by type: "t". */
extern const char *const unit_signatures[];

typedef struct UnitPair { const char *name, *value; } UnitPair;
typedef struct UnitWeight { const char *path; uint64_t value; } UnitWeight;

typedef struct UnitProp {
        const char *name;
        const char *path;       /* who asked for it: JSON path, annotation or option; NULL: we */
        UnitType type;
        bool optional;  /* may be dropped when this manager does not know it (never a limit that was asked for) */
        union {
                bool b;
                int32_t i32;
                uint32_t u32;
                uint64_t u64;
                const char *s;
                struct { const char **items; size_t n; } strv;
                struct { const uint8_t *data; size_t n; } bytes;
                struct { UnitPair *items; size_t n; } pairs;
                struct { UnitWeight *items; size_t n; } weights;
                struct {
                        const int32_t *exits, *signals;
                        size_t n_exits, n_signals;
                } statuses;
        } v;
} UnitProp;

/* A cgroup file of the scope, written once the process is in it, for what systemd cannot express. The same file
 * may come several times: the kernel takes one line a write. */
typedef struct CgroupWrite {
        const char *file, *value;
        const char *path;   /* JSON path, for the message when it fails */
        const char *instead_of; /* written only if the manager does not know this optional property; or NULL */
        bool optional;      /* a file that this kernel has not got is no error */
} CgroupWrite;

/* One rule of a list that a set of allowed devices cannot say. */
typedef struct DeviceRule {
        bool allow;
        char type;              /* 'c' or 'b' */
        int64_t major, minor;   /* -1: any */
        unsigned access;        /* DEVICE_* */
} DeviceRule;

enum { DEVICE_READ = 1, DEVICE_WRITE = 2, DEVICE_MKNOD = 4, DEVICE_ALL = 7 };

typedef struct UnitPlan {
        Home home;
        const char *cgroup;     /* home_is_cgroup(): which one; there are no properties then */
        const char *launcher;   /* HOME_IN_SERVICE: where we are meanwhile; or NULL */
        const char *name;       /* of the unit: "libpod-1234.scope" */
        const char *slice;      /* "machine.slice", as in props; NULL: the unit is not ours to make */
        const char *subgroup;   /* cgroup below the scope for the container, or NULL: the scope's own */
        const char *delegate;   /* one below that, which is in the container's cgroup namespace; or NULL */
        OptU32 owner;           /* uid, as we know it, that the container's cgroup is given to */
        UnitProp *props;
        size_t n_props;
        CgroupWrite *writes;
        size_t n_writes;
        bool sets_devices;      /* it says what devices there are: a filter of before is void */
        DeviceRule *rules;      /* for a filter of our own, besides DeviceAllow; the last that covers a device decides */
        size_t n_rules;         /* 0: DeviceAllow says it all, or everything is allowed */
        const char *rules_path; /* JSON path of the first that needs it */
        struct UnitPlan *end;   /* of a service: what systemd starts when that has ended; or NULL */
        Arena arena;
} UnitPlan;

void unit_plan_done(UnitPlan *plan);

/*
 * Spec to unit plan. PIDs/PIDFDs are not in it: they are not known yet.
 *   -EINVAL, -EOPNOTSUPP: with the JSON path (or the annotation) in the error
 */
int unit_plan_build(const Spec *spec, const Request *request, const HostFacts *facts, UnitPlan *ret, Error *reterr);

/* A service whose main process is one more in a supervised container. It is in the container's cgroup, whose limits hold for
 * it; the service is there to collect it. */
typedef struct SessionUnit {
        const char *program, *root, *id; /* as systemd is to call us (Supervision) */
        const char *name;                /* of the session */
        const char *unit, *slice;        /* the container's */
        bool rootless;                   /* in the systemd of an ordinary user */
} SessionUnit;
void unit_plan_build_session(const SessionUnit *s, UnitPlan *ret);

/* Only what the resources say, for `update`: properties that are absent stay as they are. now NULL: nothing is known. */
int unit_plan_build_update(const SpecResources *resources, const HostFacts *facts, const LimitsNow *now, UnitPlan *ret,
                           Error *reterr);

/* The cgroup file in which the limit can be seen; NULL: in none, or it asks for what holds without a controller. */
const char *unit_prop_file(const UnitProp *prop);

/* A UNIT_BYTES property as the kernel prints it: "0-3,7". */
void unit_prop_print_mask(const UnitProp *prop, Text *text);

/* One property a line, "MemoryMax t 67108864", then the cgroup files. */
void unit_plan_print(const UnitPlan *plan, Text *text);
/* The same, with what each property comes from: "MemoryMax t 67108864 # linux.resources.memory.limit". */
void unit_plan_explain(const UnitPlan *plan, Text *text);

/* Name and slice from cgroupsPath (NULL or empty: from the id). Strings from a. -EINVAL. */
int unit_name_build(const char *cgroups_path, const char *id, bool rootless, Arena *a, const char **ret_name,
                    const char **ret_slice, Error *reterr);

/* The slice that this unit is in, by the path of a cgroup in there; NULL: in the root slice. From a. */
const char *unit_slice_above(const char *path, const char *unit, Arena *a);

/* Of a session, from that of its container: "ocirt-sd-web:backup.service". No container's has a colon. From a. */
const char *unit_name_of_session(const char *unit, const char *session, Arena *a);
/* What systemd starts when a supervised container's unit has ended: beside one of ours, or ocirt-sd-end@.service. From a. */
const char *unit_name_of_end(Home home, const char *unit, const char *id, Arena *a);

/* The first unit, slices aside, that a path of cgroups leads through, or NULL. */
const char *unit_name_above(const char *path, Arena *a);
