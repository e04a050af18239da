/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "oci/spec.h"

/* What the pure layer must be told, because it looks at nothing itself: the request and the host. */

typedef enum BlockKind {
        BLOCK_DISK,     /* or none yet: who names it to Linux makes it load a driver (loop devices, RAM disks) */
        BLOCK_PARTITION,
        BLOCK_STACKED,  /* made of other devices: device mapper, LUKS, MD */
} BlockKind;

/* Asked when a plan depends on the answer, and not before. NULL: the answer that refuses nothing. */
typedef struct HostQueries {
        BlockKind (*block_device)(uint32_t major, uint32_t minor);
        bool (*has_huge_pages)(uint64_t kib);
        /* "0-3": every CPU or memory node that there may be, for free(); NULL: unknown. */
        char *(*possible)(bool nodes);
        uint64_t (*swappiness)(void);
        /* Is it a cgroup in the caller's own unit, for us to make? */
        bool (*may_make_cgroup)(const char *path);
        /* path_beyond_symlinks(): what is left of the path when it has come to the directory, for free(); or NULL */
        char *(*beyond)(const char *path, const char *directory);
} HostQueries;

/* What is in force for a container that runs, for an update that gives a part of what belongs together. Not set: its
 * cgroup has no such file. */
typedef struct LimitsNow {
        OptU64 memory_max, swap_max, memory_current, swap_current; /* bytes; UINT64_MAX: no limit */
        OptU64 cpu_quota, cpu_period, cpu_burst;                   /* µs; quota UINT64_MAX: none */
        bool cpu_idle;
        OptBool oom_group;
        bool frozen;            /* systemd keeps new properties of such a unit to itself */
        const char *cgroup;     /* it has this one and no unit; or NULL */
} LimitsNow;

typedef struct HostFacts {
        bool rootless;          /* not root where systemd is the first process: the user's manager, no device limits */
        bool privileged;        /* CAP_SYS_ADMIN over our mount namespace now: bind sources may be opened early */
        bool own_userns;        /* we run in a user namespace other than the initial one */
        bool setgroups_denied;  /* setgroups(2) fails in that one, and in all that are made in it */
        uint32_t uid, gid;      /* ours */
        bool apparmor, selinux; /* enabled in the kernel */
        uint64_t lacked_capabilities; /* those that we have not got ourselves, a bit each */
        bool cgroup_disabled;   /* --cgroup-manager=disabled: no scope, the caller's cgroup */
        bool systemd_cgroup;    /* --systemd-cgroup: a scope, even where linux.cgroupsPath is a cgroup of the caller's */
        const char *cgroup_mount; /* where cgroup2 is mounted: "/sys/fs/cgroup" */
        HostQueries queries;
} HostFacts;

/* Of what he has at 0, 1 and 2, a bit each. */
typedef struct CallerStdio {
        uint8_t nulls;          /* the null device: by that nothing can be had */
        uint8_t sockets;
        uint8_t files;          /* on file systems with file handles (open_by_handle_at(2)) */
        uint8_t terminals;
} CallerStdio;

/* Of a container that systemd watches over. */
typedef struct Supervision {
        const char *program;    /* ourselves, as systemd is to call us; NULL: there is none, and it goes into a scope */
        const char *root;       /* --root, absolute */
        const char *restart;    /* Restart= of systemd.service(5); NULL: no */
        uint64_t stop_timeout;  /* µs between the stop signal and SIGKILL; 0: it is not said */
        const char *const *properties; /* "NAME=VALUE" as in a unit file, and NULL; or NULL */
        const char *unit;       /* the service that has called us to make it in there; NULL: it gets one of its own */
        const char *cgroup;     /* then: that of this */
} Supervision;

/* What systemd has for a service alone (systemd.exec(5), LoadCredential=). */
typedef struct Credential {
        const char *name;
        const void *bytes;
        size_t size;
} Credential;

/* Of the service that has called us: what its unit has for its main process, which the container's is. */
typedef struct ServiceGift {
        const char **environment; /* "NAME=VALUE": instead of that in process.env; or NULL */
        const Credential *credentials;
        size_t n_credentials;
} ServiceGift;

typedef struct Request {
        const char *id;
        const char *bundle;     /* absolute, symlinks resolved */
        bool start_now;         /* run: no gate */
        Supervision supervision;
        ServiceGift gift;
        const char *ends_with;  /* a service with whose end its own has come; or NULL */
        bool no_pivot;
        const char *keyring;    /* the name of its session keyring, which nobody can guess; NULL: the caller's is kept */
        uint32_t preserve_fds;  /* --preserve-fds and LISTEN_FDS: descriptors 3 to 3 + n - 1 stay open */
        uint32_t listen_fds;    /* of them, passed by socket activation (LISTEN_FDS) */
        const char *listen_fd_names; /* or NULL */
        CallerStdio stdio;
        bool launcher_stays;    /* until the process ends: it can be between that and the caller */
        const char *const *environment; /* the caller's, for hooks that have none; or NULL */
        bool notifies;          /* there is somebody to hear it: it finds a NOTIFY_SOCKET in /run/notify */
        const void *seccomp;    /* compiled filter (seccomp.h) or NULL when there is none */
        size_t seccomp_size;
        const char *seccomp_unknown; /* names that it leaves out, or NULL */
} Request;
