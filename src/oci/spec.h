/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "basic/alloc.h"
#include "basic/error.h"
#include "basic/schedule.h"

/*
 * config.json (OCI runtime-spec 1.3.0, config.md and config-linux.md) as typed data.
 *
 * What is optional and has no natural "absent" value carries its presence with it: a NULL pointer, an empty
 * array, or one of the Opt* types. An optional string that is "" is absent. Names are the specification's, in
 * snake_case. Paths and names are as written in the document; nothing here has been looked up on the host. All
 * memory is the Spec's own.
 */

typedef struct OptU64 { bool set; uint64_t v; } OptU64;
typedef struct OptI64 { bool set; int64_t v; } OptI64;
typedef struct OptU32 { bool set; uint32_t v; } OptU32;
typedef struct OptI32 { bool set; int32_t v; } OptI32;
typedef struct OptBool { bool set; bool v; } OptBool;

/* The key of a sysctl is a path below /proc/sys, whichever way the document spells it: "net/ipv4/ip_forward". */
typedef struct SpecKeyValue { const char *key, *value; } SpecKeyValue;

typedef struct SpecIdMap { uint32_t container_id, host_id, size; } SpecIdMap;

typedef struct SpecMount {
        const char *destination;     /* absolute: a relative one is taken from "/" */
        const char *type;            /* NULL when absent */
        const char *source;          /* NULL when absent */
        const char **options;        /* n_options strings, as written */
        size_t n_options;
        SpecIdMap *uid_mappings, *gid_mappings;
        size_t n_uid_mappings, n_gid_mappings;
} SpecMount;

typedef struct SpecHook {
        const char *path;
        const char **args;           /* NULL-terminated; NULL when absent */
        const char **env;            /* NULL-terminated; NULL when absent: an empty environment */
        OptI32 timeout;              /* seconds, > 0 */
} SpecHook;

typedef enum SpecHookKind {
        HOOK_PRESTART, HOOK_CREATE_RUNTIME, HOOK_CREATE_CONTAINER, HOOK_START_CONTAINER, HOOK_POSTSTART,
        HOOK_POSTSTOP, _HOOK_KINDS,
} SpecHookKind;

typedef struct SpecHooks {
        SpecHook *hooks;
        size_t n;
} SpecHooks;

typedef struct SpecRlimit {
        int resource;                /* RLIMIT_* */
        uint64_t soft, hard;
} SpecRlimit;

/* One bit a capability number (CAP_CHOWN is bit 0). */
typedef struct SpecCapabilities {
        uint64_t bounding, effective, inheritable, permitted, ambient;
} SpecCapabilities;

typedef Schedule SpecScheduler;

typedef struct SpecProcess {
        bool terminal;
        bool has_console_size;
        uint16_t console_height, console_width;
        const char *cwd;
        const char **env;            /* NULL-terminated, "KEY=value"; never NULL */
        const char **args;           /* NULL-terminated; NULL when absent (then `start` is an error) */
        SpecRlimit *rlimits;
        size_t n_rlimits;
        const char *apparmor_profile, *selinux_label;
        bool has_capabilities;
        SpecCapabilities capabilities;
        bool no_new_privileges;
        OptI32 oom_score_adj;
        SpecScheduler *scheduler;    /* NULL when absent */
        OptI32 io_priority;          /* as ioprio_set(2) takes it: class << 13 | priority */
        const char *cpu_affinity_initial, *cpu_affinity_final; /* cpu lists ("0-3,7"), validated */
        bool has_user;               /* false: uid and gid are 0, and there are no groups */
        uint32_t uid, gid;
        OptU32 umask;
        uint32_t *additional_gids;
        size_t n_additional_gids;
} SpecProcess;

typedef struct SpecNamespace {
        int type;                    /* CLONE_NEW* */
        const char *path;            /* NULL: a new one */
} SpecNamespace;

typedef struct SpecDevice {
        char type;                   /* 'c', 'b', 'p' ('u' is read as 'c') */
        const char *path;
        int64_t major, minor;
        OptU32 file_mode, uid, gid;
} SpecDevice;

typedef struct SpecDeviceRule {
        bool allow;
        char type;                   /* 'a', 'c', 'b' */
        OptI64 major, minor;         /* absent or -1 in the document: any (set = false) */
        const char *access;          /* subset of "rwm", at least one letter */
} SpecDeviceRule;

typedef struct SpecWeightDevice { int64_t major, minor; OptU32 weight, leaf_weight; } SpecWeightDevice;
typedef struct SpecThrottle { int64_t major, minor; uint64_t rate; } SpecThrottle;
typedef struct SpecHugepageLimit { const char *page_size; uint64_t limit; } SpecHugepageLimit;
typedef struct SpecRdma { const char *name; OptU32 hca_handles, hca_objects; } SpecRdma;

typedef enum SpecThrottleKind {
        THROTTLE_READ_BPS, THROTTLE_WRITE_BPS, THROTTLE_READ_IOPS, THROTTLE_WRITE_IOPS, _THROTTLE_KINDS,
} SpecThrottleKind;

typedef struct SpecResources {
        SpecDeviceRule *devices;
        size_t n_devices;
        struct {
                OptI64 limit, reservation, swap, kernel, kernel_tcp; /* bytes, -1: no limit */
                OptU64 swappiness;
                OptBool disable_oom_killer, use_hierarchy, check_before_update;
        } memory;
        struct {
                OptU64 shares, burst, period, realtime_period; /* burst and period: µs */
                OptI64 quota, realtime_runtime, idle;          /* quota: µs per period, -1: none */
                const char *cpus, *mems;                       /* lists ("0-3,7"), validated */
        } cpu;
        OptI64 pids_limit;           /* -1: none */
        struct {
                OptU32 weight, leaf_weight;
                SpecWeightDevice *weight_devices;
                size_t n_weight_devices;
                SpecThrottle *throttle[_THROTTLE_KINDS];
                size_t n_throttle[_THROTTLE_KINDS];
        } block_io;
        SpecHugepageLimit *hugepage_limits;
        size_t n_hugepage_limits;
        bool has_network;            /* network.classID or priorities: cgroup v1 only */
        SpecRdma *rdma;
        size_t n_rdma;
        SpecKeyValue *unified;
        size_t n_unified;
} SpecResources;

typedef struct SpecSeccompArg {
        uint32_t index;
        uint64_t value, value_two;
        const char *op;              /* one of seccomp_operators */
} SpecSeccompArg;

typedef struct SpecSyscall {
        const char **names;          /* NULL-terminated, at least one */
        const char *action;          /* "SCMP_ACT_…", validated */
        OptU32 errno_ret;
        SpecSeccompArg *args;
        size_t n_args;
} SpecSyscall;

typedef struct SpecSeccomp {
        const char *default_action;
        OptU32 default_errno_ret;
        const char **architectures;  /* NULL-terminated "SCMP_ARCH_…", validated; never NULL */
        const char **flags;          /* NULL-terminated "SECCOMP_FILTER_FLAG_…", validated; never NULL */
        const char *listener_path, *listener_metadata; /* NULL unless an action is SCMP_ACT_NOTIFY */
        SpecSyscall *syscalls;
        size_t n_syscalls;
} SpecSeccomp;

typedef struct SpecIntelRdt {
        const char *clos_id, *l3_cache_schema, *mem_bw_schema;
        const char **schemata;       /* NULL-terminated or NULL */
        bool enable_monitoring;
} SpecIntelRdt;

typedef struct SpecTimeOffset { bool set; int64_t secs; uint32_t nanosecs; } SpecTimeOffset;

typedef struct SpecMemoryPolicy {
        const char *mode;            /* "MPOL_…", validated */
        const char *nodes;           /* a list ("0-3,7"), validated; NULL when absent */
        const char **flags;          /* NULL-terminated; never NULL */
} SpecMemoryPolicy;

typedef struct SpecNetDevice { const char *host_name, *name; } SpecNetDevice; /* name NULL: keeps host_name */

typedef struct SpecLinux {
        SpecNamespace *namespaces;
        size_t n_namespaces;
        SpecIdMap *uid_mappings, *gid_mappings;
        size_t n_uid_mappings, n_gid_mappings;
        SpecTimeOffset boottime, monotonic;
        SpecDevice *devices;
        size_t n_devices;
        SpecNetDevice *net_devices;
        size_t n_net_devices;
        const char *cgroups_path;    /* NULL when absent */
        SpecResources *resources;    /* NULL when absent */
        SpecSeccomp *seccomp;        /* NULL when absent */
        const char *rootfs_propagation; /* "shared", "slave", "private", "unbindable" or NULL */
        bool rootfs_propagation_recursive; /* "rshared" … */
        const char **masked_paths, **readonly_paths; /* NULL-terminated; never NULL */
        const char *mount_label;
        SpecKeyValue *sysctl;
        size_t n_sysctl;
        SpecIntelRdt *intel_rdt;     /* NULL when absent */
        SpecMemoryPolicy *memory_policy; /* NULL when absent */
        const char *personality;     /* "LINUX" or "LINUX32" or NULL */
} SpecLinux;

typedef struct Spec {
        const char *oci_version;
        const char *root_path;       /* never NULL */
        bool root_readonly;
        SpecMount *mounts;
        size_t n_mounts;
        const char *hostname, *domainname; /* NULL when absent */
        SpecProcess *process;        /* NULL when absent */
        SpecHooks hooks[_HOOK_KINDS];
        SpecLinux linux_;            /* all absent when the document has no "linux" */
        SpecKeyValue *annotations;
        size_t n_annotations;

        Strings warnings;            /* what is passed over because the specification says so: "path: text" */
        Arena arena;
        void *document;              /* what was parsed for it, which owns the strings */
} Spec;

/*
 * Reads a whole config.json. bytes need not end in NUL. Errors name the JSON path in the specification's
 * words: "linux.resources.memory.limit: expected an integer, got a string". Unknown properties are ignored,
 * as the specification demands, and are in the warnings.
 *   -EINVAL: not JSON, a wrong type, a value out of range, a rule between properties broken
 *   -EOPNOTSUPP: a value that the specification knows and this runtime (or Linux) has not got
 */
int spec_parse(const char *bytes, size_t size, Spec **ret, Error *reterr);

/* What was accepted once, perhaps by an earlier version, and runs: rules between properties are not asked for again. */
int spec_parse_kept(const char *bytes, size_t size, Spec **ret, Error *reterr);

/* The same for who wants to know all that is wrong with it. With errors *ret is NULL, and the warnings are here. */
typedef struct SpecProblems {
        Strings errors, warnings;
        Arena arena;
} SpecProblems;
void spec_problems_done(SpecProblems *problems);
int spec_parse_all(const char *bytes, size_t size, SpecProblems *problems, Spec **ret);
Spec *spec_free(Spec *spec);
#define _cleanup_spec_ _cleanup_(spec_freep)
static inline void spec_freep(Spec **spec) {
        (void) spec_free(*spec);
}

/* A process.json, as `exec --process` takes it: the "process" object alone. The result lives in spec's arena. */
int spec_parse_process(Spec *spec, const char *bytes, size_t size, SpecProcess **ret, Error *reterr);

/* The LinuxResources object alone, as `update --resources` takes it. The Spec holds only linux_.resources. */
int spec_parse_resources(const char *bytes, size_t size, Spec **ret, Error *reterr);

/* For a container whose config.json is of that ociVersion. pids.limit 0 is a value since 1.3.0; before it was how Go
 * programs wrote "no limit", and becomes -1. */
void spec_settle_pids(const char *version, SpecResources *resources);

/* The LinuxIntelRdt object alone. The Spec holds only linux_.intel_rdt. */
int spec_parse_intel_rdt(const char *bytes, size_t size, Spec **ret, Error *reterr);

#define SPEC_STOP_SIGNAL "org.opencontainers.image.stopSignal"

/* The value of an annotation or NULL. */
const char *spec_annotation(const Spec *spec, const char *key);

/* One that is a path on the host, and therefore absolute; *ret is NULL when it is absent or empty. -EINVAL. */
int spec_annotation_path(const Spec *spec, const char *key, const char **ret, Error *reterr);

/* The namespace of that CLONE_NEW* type or NULL: the container shares the runtime's. */
const SpecNamespace *spec_namespace(const Spec *spec, int type);

/* Is it among the options, as written? */
bool spec_mount_has_option(const SpecMount *m, const char *option);

/* What an id of the container is outside of its user namespace; false when it is not mapped. */
bool spec_map_id(const SpecIdMap *map, size_t n, uint32_t id, uint32_t *ret);

/* The bit of a capability, "CAP_CHOWN"; 0: there is none of that name. */
uint64_t spec_capability(const char *name);

/* The CLONE_NEW* namespace that a kernel parameter belongs to ("net/…"), 0: the machine. */
int spec_sysctl_namespace(const char *path);

/* Do the ranges of maps overlap, or leave what there is? path: of the list, for the error. */
int spec_check_id_maps(const char *path, const SpecIdMap *maps, size_t n, Error *reterr);

/* The names of the specification, for features and messages; NULL-terminated. */
extern const char *const seccomp_operators[];     /* "SCMP_CMP_NE", … */
extern const char *const seccomp_actions[];       /* "SCMP_ACT_ALLOW", … */
extern const char *const seccomp_architectures[]; /* "SCMP_ARCH_X86", … */
extern const char *const seccomp_filter_flags[];  /* "SECCOMP_FILTER_FLAG_LOG", … */
extern const char *const memory_policy_modes[];   /* "MPOL_BIND", … */
extern const char *const memory_policy_flags[];   /* "MPOL_F_STATIC_NODES", … */
extern const char *const spec_hook_names[_HOOK_KINDS]; /* "prestart", "createRuntime", … */
