/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <errno.h>
#include <stdbool.h>

#include "basic/error.h"
#include "plan/init/plan.h"

/*
 * What one step leaves for later ones. All descriptors are close-on-exec, and -EBADF while there is nothing.
 * Where a descriptor names a place in the container's file system it is the only way to that place: no step
 * builds a path out of the rootfs's path. tests/helper/check-paths holds that: a call that takes a path is
 * marked, where the path is the host's own or the container is our root already ("host", "own" behind it).
 */
typedef struct Helper {
        const InitPlan *plan;
        size_t next;             /* the step after the one that runs */
        int base;                /* 3 to base - 1 are preserved for the container */
        int control;             /* where messages and the error go: the launcher, then who called `start` */
        int say, hear;           /* the pipes that take the place of the launcher's socket */
        int target, given_root;  /* see INIT_FD_* */
        int cgroup, cgroup_namespace; /* the launcher's, for helper_fork() */
        int gate;                /* the socket of INIT_MAKE_GATE */
        int notify;              /* that of INIT_NOTIFY, if it is kept */
        bool joined_mounts;      /* we are in a mount namespace of others, whose paths are as hostile as a rootfs's */
        int proc;                /* the root of a procfs of our own (procfs.c) */
        int time_offsets;        /* ours in /proc, if there is an INIT_TIME_OFFSETS */
        int root;                /* the root of the container's file system (rootfs.c), or of INIT_CHROOT */
        int mask_file, mask_dir; /* masks in place, to be cloned (masks.c) */
        int opener;              /* a socket to the process of INIT_OPENER */
        int nodes;               /* the file system of INIT_OPEN_NODE */
        int devpts;              /* the devpts mounted at /dev/pts */
        bool has_console;        /* INIT_CONSOLE is behind us */
        int slots[INIT_SLOTS + 1]; /* by their number; 0 is empty */
        bool in_rootfs;          /* INIT_ENTER_ROOTFS has made it the working directory */
        uint64_t root_propagation, opened_propagation; /* of INIT_ROOT_PROPAGATION */
        const InitSeccomp *hook_filter; /* for hooks, or NULL */
        char *executable;          /* found by INIT_FIND */
        char *home;                /* "HOME=…" when the environment has none */
        uint64_t heard;            /* 1 << INIT_MSG_* for each message that has come before it was waited for */
        bool released;             /* INIT_READY is behind us */
        bool inside;               /* INIT_FORK_INSIDE is behind us: the container may do with us what it likes */
} Helper;

/* The descriptor that an earlier step left in a slot, or an error; the slot keeps it, or does not. */
int helper_slot(Helper *h, InitSlot slot, Error *e);
int helper_take_slot(Helper *h, InitSlot slot, Error *e);
/* All but what is preserved for the container, what the gate needs and the ways to who listens to us. */
void helper_close_others(Helper *h);
/* The root of the container, for steps that come when it is our own. -errno. */
int helper_root(Helper *h);

/* An O_PATH descriptor of a path of the host's; in a mount namespace of others no magic link, as those in procfs are,
 * leads to what we have open. -errno. */
int helper_open_host(const Helper *h, const char *path, int flags);

/* fork(), with flags of clone(2), in the launcher's cgroup: the container's, or one above it, may have all the processes that
 * it may have. */
pid_t helper_fork(const Helper *h, unsigned flags);

/* The descriptor that make(data) returns in a child of ours, which may do what it likes with its namespaces; or its -errno.
 * -ETIMEDOUT: it ended before. */
int helper_let_open(const Helper *h, int (*make)(void *), void *data);

/* env, with the HOME that INIT_FIND looked up if it is missing or empty, and with LISTEN_PID if it is to listen: for free(). */
char **helper_environment(const Helper *h, const char **env, bool listen);

/* Leaves one there, which is the slot's then: *fd is -EBADF. */
int helper_fill_slot(Helper *h, InitSlot slot, int *fd, Error *e);
