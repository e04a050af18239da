/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "basic/error.h"

/*
 * Reading the cgroup tree, and the few things systemd leaves to us: killing, and files that no unit property
 * expresses. Paths are as in /proc/PID/cgroup ("/system.slice/x.scope"). Descriptors are O_PATH-like directory
 * descriptors of cgroup2. All functions return -errno.
 */

/* Where cgroup2 is mounted: "/sys/fs/cgroup", or "/sys/fs/cgroup/unified" on a hybrid host; NULL: nowhere. */
const char *cgroup_mount_point(void);
/* An error that says what is there instead. */
int cgroup_require_mount(Error *reterr);

/* The cgroup2 path of a process; the caller frees it. -ESRCH: no such process. */
int cgroup_of_pid(pid_t pid, char **ret);

/* The cgroup's directory; -ENOENT when it is gone. Whose it is: container_open_cgroup(). */
int cgroup_open(const char *path);

/* The kernel's number of this cgroup, which it gives no other one before the next boot, and which nobody can change. */
int cgroup_id(int fd, uint64_t *ret);
/* Are there cgroups below it? */
bool cgroup_has_children(int fd);

/* Does systemd's own name for this unit end the path? "/a.slice/a-b.slice/x.scope" for slice "a-b.slice" and unit
 * "x.scope". */
bool cgroup_belongs_to_unit(const char *path, const char *slice, const char *unit);

/* The path of the service's own cgroup that a process is in, or below; the caller frees it. -ENOENT: of none. */
int cgroup_service_of(pid_t pid, char **ret);
/* What the unit whose cgroup that is is called. */
const char *cgroup_unit_name(const char *path);

/* The cgroup's path of the delegated unit that this process runs in, if the given path leads below that; else NULL. The
 * caller frees it. */
char *cgroup_own_unit(const char *path);
/* May we make a cgroup of this path? Only below that of the delegated unit that this process runs in. */
bool cgroup_is_ours_to_make(const char *path);
/* The directory of the cgroup above that of the path; *ret_name is the last component of the path. */
int cgroup_open_parent(const char *path, const char **ret_name);

/* Looks up the files by which processes are seen, frozen and killed. From here on a process in there that keeps the lock of the
 * directory keeps nobody from them, as long as the kernel has memory to remember where they are. */
void cgroup_look_up_files(int fd);

/* "frozen 1" in cgroup.events. */
bool cgroup_is_frozen(int fd);
/* "1" in cgroup.freeze: it is, or will be when each process has come to where that can be done. */
bool cgroup_is_to_be_frozen(int fd);
/* Asks the kernel, and waits until it is done, or -ETIMEDOUT. */
int cgroup_freeze(int fd, bool freeze, uint64_t deadline);
/* "populated 1": a process in it, or below it. */
bool cgroup_is_populated(int fd);

/* Gives every controller that it has to the cgroups below; the first error, after all were tried. The kernel gives none
 * to those below a cgroup that has processes itself. */
int cgroup_hand_down(int fd);
/* What can be had of it, from that unit down to the cgroup that is to be made at the path. */
void cgroup_hand_down_to(const char *path);

/* Gives it to the user as far as a cgroup can be delegated (cgroups(7)): the directory and the files that
 * /sys/kernel/cgroup/delegate names. */
int cgroup_delegate(int fd, uid_t uid);

/* SIGKILL to every process in it and below it, at once (cgroup.kill). Linux 6.18 passes over who has but other threads than
 * its first left. */
int cgroup_kill(int fd);
/* A signal to every process in it and below it, one after the other, each by a pidfd that is checked to be in there still. */
int cgroup_signal(int fd, const char *path, int signal);
/* Waits until no process is left, or -ETIMEDOUT. */
int cgroup_wait_empty(int fd, uint64_t deadline);

/* Is there this file of the kernel's? Who may make cgroups below can give one the name of a file that is not there. */
bool cgroup_has_file(int fd, const char *file);
/* Is a controller enabled for it? */
bool cgroup_has_controller(int fd, const char *controller);

/*
 * Hands a controller down to the cgroup at path from the top of the tree: one that systemd does not know (hugetlb, rdma,
 * misc, …), and so neither hands down nor takes away. What it does know is its own to hand down: -EOPNOTSUPP.
 */
int cgroup_enable_controller(const char *path, const char *controller, Error *reterr);

/* Removes it, of which fd is a descriptor, with all below it, where no process is left. Whatever is in the way keeps
 * what can be removed until the deadline from being so. */
int cgroup_remove(int fd, const char *path, uint64_t deadline);

/* Pids in it and in every cgroup below it, in no order; the caller frees *ret. Those of other pid namespaces than
 * ours are left out. */
int cgroup_pids(int fd, pid_t **ret, size_t *ret_n);
