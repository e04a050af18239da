/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <sys/stat.h>

#include "helper/helper.h"

/*
 * A procfs of our own. What the container mounts over /proc, or passes off as /proc, must not see a label or
 * a sysctl that is meant for the kernel, so all reads and writes of /proc go through a detached mount that
 * has no path, and stay in it: no symlinks, no crossing into another mount.
 */

/* Mounts it if the plan has a step that needs it, and opens what can be opened only now: before anything is joined or
 * unshared. */
int procfs_prepare(Helper *h, Error *e);
/* For what is needed only in rare cases: mounts it now, if it is not there. Before the pivot. */
int procfs_need(Helper *h, Error *e);

/* Is the descriptor on one, be it ours or another? */
bool procfs_is(int fd);
/* Is it the root of one? */
bool procfs_is_root(int fd);

/* After it was closed: never the one in place, which may be the container's by now. */
int procfs_renew(Helper *h, Error *e);

/* A detached copy of the procfs that somebody in that pid namespace has mounted: procfs-copy.c. */
int procfs_copy(Helper *h, int pidns, Error *e);

/* A file of procfs by its path below the root, "sys/net/…". -errno. */
int procfs_open(const Helper *h, const char *path, int flags);
/* One of /proc/self: "attr/exec". -errno. */
int procfs_open_self(const Helper *h, const char *path, int flags);
/* What one of /proc/self leads to: "ns/net". -1 with errno. */
int procfs_stat_self(const Helper *h, const char *path, struct stat *ret);
/* One of our namespaces: "mnt". -errno. */
int procfs_open_namespace(const Helper *h, const char *name);

/* The path by which the kernel knows a descriptor (readlink of /proc/self/fd/N). -errno. */
int procfs_describe_fd(const Helper *h, int fd, char *buffer, size_t size);

/* Changes the mode of what the descriptor, with O_PATH, stands for. -errno. */
int procfs_chmod(const Helper *h, int fd, mode_t mode);

/* Opens the file, writes the value at once, closes. -errno. */
int procfs_write_self(const Helper *h, const char *path, const char *value);
