/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/types.h>

#include "helper/helper.h"

/* The mount calls, all by descriptor: the mount, or any place, that fd is. -errno. */

/* A detached copy of the mount at fd. */
int mount_clone(int fd, bool recursive);
/* The detached mounts become copies whose flags nobody takes off, and whose mounts stay on one another, also when they are
 * not mounted any more; slaves of what was shared. */
int mount_lock(const Helper *h, const int *fds, size_t n, Error *e);
/* Sets and clears MOUNT_ATTR_*; nothing when both are 0. */
int mount_attributes(int fd, uint64_t set, uint64_t clear, bool recursive);
/* The same, but what a mount has that was locked by a user namespace stays: engines say "rw" for all that is not to be
 * read-only. */
int mount_change_attributes(int fd, uint64_t set, uint64_t clear, bool recursive);
/* And those of all that is in it after that. */
int mount_change_all(int fd, uint64_t set, uint64_t clear, uint64_t recursive_set, uint64_t recursive_clear);
/* flags: MS_PRIVATE, MS_SLAVE, … (in this order when several), with MS_REC. */
int mount_propagation(int fd, uint64_t flags);

/* A detached copy of the mount at a path of the host's, for a bind mount, or of the rootfs's: extra is that of INIT_BIND. */
int source_open(const Helper *h, const char *path, uint32_t extra, Error *e);

/* Owners as the user namespace in the slot maps them; nothing without a slot. fd is a mount not attached yet. */
int mount_map(Helper *h, int fd, InitSlot slot, bool recursive, Error *e);

/* What a new file system is made of. */
typedef struct NewFs {
        const char *type, *source;
        const char **options;      /* "k=v"; or NULL */
        uint64_t attrs, super;     /* MOUNT_ATTR_*; MS_* of the superblock */
        InitSlot pid_namespace;    /* that a procfs is to show; or none */
        mode_t mode;               /* one more option, for a tmpfs; or 0 */
} NewFs;

/* A detached one. */
int newfs_create(Helper *h, const NewFs *new, int *ret, Error *e);
/* Has it what fsconfig(2) does not take: a flag that only mount(2) has, or an option too long (the layers of an
 * overlay)? Then it is attached in one go by mount(2), onto the directory place. */
bool newfs_needs_classic(const NewFs *new);
int newfs_mount_classic(Helper *h, const NewFs *new, int place, const char *target, int *ret, Error *e);

/* Copies what is in the directory `from` into the directory `to`. */
int tree_copy(int from, int to, const char *path, Error *e);
