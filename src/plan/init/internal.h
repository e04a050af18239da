/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <errno.h>

#include "basic/str.h"
#include "plan/init/build.h"
#include "plan/init/mount-options.h"

/* What the parts of the builder share; used in this directory only. Each part appends its steps in order, and takes
 * something of those alone that stand before it here. */

typedef enum MountKind { KIND_NEW, KIND_BIND, KIND_CGROUP, KIND_REMOUNT } MountKind;
typedef enum Postponed { POSTPONED_NOT, POSTPONED_TO_PIVOT, POSTPONED_BEYOND_PIVOT } Postponed;

/* One of mounts[], as it was understood. */
typedef struct BuildMount {
        const SpecMount *spec;
        size_t index;
        const char *origin;     /* "mounts[3]" */
        MountKind kind;
        const char *target;     /* normalized */
        const char *source;     /* of a bind with INIT_SOURCE_IN_ROOT the container's path */
        MountOptions o;
        InitSlot slot;          /* with its source, or none */
        uint32_t extra;
        InitSlot idmap;         /* with the user namespace of its id maps, or none */
        bool readonly_later;
        Postponed postponed;
} BuildMount;

/* A user namespace for mapped mounts. */
typedef struct BuildIdmap {
        const char **uids, **gids; /* "0:100000:65536" */
        const char *path;          /* instead of them: a namespace that exists */
        const char *origin;        /* of the first that wants it */
        InitSlot slot;
} BuildIdmap;

/* Whose mounts the container's are. */
typedef enum MountTree {
        TREE_OWN,      /* those of a mount namespace that it has alone */
        TREE_COPY,     /* a copy of the rootfs in a mount namespace that others are in too */
        TREE_IN_PLACE, /* the rootfs as it lies there, in such a namespace or in the runtime's: nothing is mounted */
} MountTree;

/* seccomp.c */
typedef enum FilterTime { FILTER_BEFORE_CAPABILITIES, FILTER_BEFORE_READY, FILTER_LAST } FilterTime;

typedef struct InitBuild {
        const Spec *spec;
        const HostFacts *facts;
        InitPlan *plan;
        Arena *arena;                 /* the plan's */
        Error *reterr;

        /* What differs between a container's init and a process of exec. */
        bool exec;
        bool waits;                   /* for the launcher's word, when it is ready */
        const SpecProcess *process;   /* or NULL */
        SpecCapabilities capabilities; /* of those asked for, what can be had */
        const char *id, *bundle;
        bool keeps_keyring;           /* the caller's */
        const char *keyring;          /* what its own is called, or NULL */
        const void *seccomp;
        size_t seccomp_size;
        FilterTime filter_time;
        uint32_t preserve_fds, listen_fds;
        const char *listen_fd_names;
        CallerStdio stdio;
        bool launcher_stays;
        bool journal;
        const Request *request;       /* of the init */

        uint32_t new_namespaces, joined_namespaces; /* CLONE_NEW* */
        bool in_userns;               /* the process is in a user namespace, by the plan or because we are */
        bool notifies;                /* it gets a NOTIFY_SOCKET */
        bool has_credentials;         /* of the service that has called us */
        MountTree tree;
        InitSlot n_slots;             /* handed out */
        const char **env;             /* of the program, once INIT_FIND is in the plan */
        InitSlot *namespace_slots;    /* of linux.namespaces[], where there is a path */
        BuildIdmap *idmaps;
        size_t n_idmaps;
        InitSlot hook_stdout, hook_stderr; /* or none */
        bool has_waited;              /* INIT_WAIT_CGROUP is in the plan, or there is nothing to wait for */
        bool in_cgroup;               /* and the cgroup namespace has been entered, if there is a new one */

        BuildMount *mounts;
        size_t n_mounts;
        InitSlot *device_slots;       /* of linux.devices[], with the node that is made for it, or none */
        InitSlot *default_slots;      /* the same of the devices that every container has */
        const char **node_options;    /* of their file system */
        InitSlot first_node;
        uint32_t n_nodes;             /* in as many slots from the first on */
        InitSlot null;                /* of what files are masked with, or none */
        bool has_null;                /* and a step that fills it */
        bool dev_is_bound;            /* the host's /dev or another: nothing is made in it */
} InitBuild;

/* context.c */
/* The next slot; -EINVAL when all are used. */
int build_slot(InitBuild *b, InitSlot *ret);
/* In a new user namespace, or one that is joined? */
bool build_has_userns(const InitBuild *b);
bool build_has_gate(const InitBuild *b);
/* Does it end up in a pid namespace that others are in? It is brought there last, as what may be seen by them. */
bool build_goes_inside(const InitBuild *b);
/* Are its mounts made apart, because others are in the mount namespace that it joins? They see them when they are complete. */
bool build_hands_over(const InitBuild *b);
/* Is the rootfs looked up while we are root of the host, and not by root of the user namespace? */
bool build_enters_rootfs(const InitBuild *b);
/* Are the caller's groups to be the container's? An annotation of crun's, which Podman's keep-groups becomes. */
bool build_keeps_groups(const InitBuild *b);
/* Is there a mount at exactly this path? */
bool build_has_mount_at(const InitBuild *b, const char *path);
/* Is a node made at, above or below this path? */
bool build_has_device_near(const InitBuild *b, const char *path);
bool build_has_mount_hooks(const InitBuild *b);
/* Waits for the final cgroup and enters a cgroup namespace of its own there, at the last moment before the first
 * step that needs either: systemd works while the helper does. Does nothing when that is in the plan already. */
void build_enter_cgroup(InitBuild *b);
/* The first half of it. */
void build_wait_for_cgroup(InitBuild *b);

/* idmaps.c */
int build_read_idmap(InitBuild *b, BuildMount *m);
void build_idmaps(InitBuild *b);

/* mounts-read.c */
#define BUILD_NOTIFY_DIRECTORY "/run/notify"
#define BUILD_NOTIFY_NAME "notify.sock"
#define BUILD_CREDENTIALS_DIRECTORY "/run/host/credentials" /* https://systemd.io/CONTAINER_INTERFACE */
int build_read_mounts(InitBuild *b);
/* The option that gives a new file system of this type linux.mountLabel, or NULL. */
const char *build_mount_label(const InitBuild *b, const char *type);

/* mounts.c */
/* What is opened on the host: sources that the user namespace could not open, and mapped mounts. */
int build_open_sources(InitBuild *b);
/* New file systems of namespaces that are joined, while we have power over them. */
int build_open_joined(InitBuild *b);
int build_mounts(InitBuild *b);
/* Those whose place in the list does not matter, because no other step comes near their targets. The ones that need
 * the host's mounts, or everything mounted (hooks), come before the pivot, the others after it. */
void build_postponed_mounts(InitBuild *b, bool pivoted);
/* Mounts on which the builder itself had to write before they could become read-only. */
int build_readonly_mounts(InitBuild *b);
/* Copies of all have been made, which are slaves of what was shared. */
void build_propagation_again(InitBuild *b);
/* For a step about what is at a path by now: the mount that it lies on, which is kept to look it up from, and the rest of the
 * path. */
int build_look_up(InitBuild *b, const char *path, InitSlot *ret_mount, const char **ret_rest);

/* namespaces.c */
int build_check_namespaces(InitBuild *b);
void build_hand_over(InitBuild *b);
/* So that what is masked and read-only is that also for who has it open when the container ends. */
void build_lock_mounts(InitBuild *b);
int build_open_namespaces(InitBuild *b, uint32_t types);
/* Back to where the container's mounts are, later and from another process. */
int build_rejoin_mounts(InitBuild *b);
void build_enter_mounts(InitBuild *b);
int build_namespaces(InitBuild *b);
/* In a user namespace that is new or joined. */
void build_become_root(InitBuild *b, bool new);
void build_session(InitBuild *b);
/* While there is power over that namespace, but after the last fork that is not to be seen in it. */
void build_join_pid(InitBuild *b);

/* devices.c */
/* Nodes that the user namespace could not make. */
int build_open_devices(InitBuild *b);
int build_devices(InitBuild *b);
void build_console(InitBuild *b);

/* env.c */
const char **build_env(InitBuild *b);

/* stdio.c */
void build_stdio(InitBuild *b);
/* For who will have the journal's socket, and nobody between. */
int build_check_stdio(const InitBuild *b);

/* limits.c */
typedef enum LimitTime { LIMIT_EARLY, LIMIT_AFTER_FORK, LIMIT_LAST } LimitTime;
void build_oom_score_adj(InitBuild *b);
void build_raise_rlimits(InitBuild *b);
void build_priorities(InitBuild *b);
void build_rlimits(InitBuild *b, LimitTime now);
bool build_has_late_limits(const InitBuild *b);
/* Limits and priorities that would be in the way of the fork, or lost by it. */
void build_after_fork(InitBuild *b);

/* seccomp.c */
int build_check_seccomp(InitBuild *b);
/* The filter, if it is time. */
void build_filter(InitBuild *b, FilterTime now);
void build_filter_of_hooks(InitBuild *b);

/* hooks.c */
int build_open_hook_logs(InitBuild *b);
void build_mount_hooks(InitBuild *b);
void build_start_hooks(InitBuild *b);

/* process.c */
int build_check_process(InitBuild *b);
void build_process(InitBuild *b);
void build_command(InitBuild *b);
