/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "helper/helper.h"

/*
 * Places in the container's file system where something is put: found and made without ever leaving it.
 * Symlinks are followed as the container would follow them. Whoever owns the file system may change it while
 * we look, so every step opens from the root by openat2(RESOLVE_IN_ROOT), and what counts is the descriptor
 * that comes out.
 */
typedef enum TargetKind { TARGET_DIRECTORY, TARGET_FILE } TargetKind;

/* An O_PATH descriptor of the place, made (0755, 0644) when it is missing, with the directories above it.
 * extra: INIT_NO_TARGET_SYMLINK, no component may be a symlink; INIT_NO_TARGET_FOLLOW, the last may be one and is the
 * place then, for what is no directory. Returns 1 when it was missing. */
int target_open(Helper *h, const char *path, TargetKind kind, uint32_t extra, int *ret, Error *e);

/* The directory a node is made in (made when missing), and the node's name, which points into path. */
int target_open_parent(Helper *h, const char *path, int *ret_dir, const char **ret_name, Error *e);

/* A regular file made in dir, or what is there if it is a regular file or a character device: a place to
 * bind a device on. Never a symlink. */
int target_open_node(int dir, const char *name, const char *path, int *ret, Error *e);

/* May mount be put there? On a procfs only what INIT_TARGET_ON_PROC lets pass, and a procfs on its root;
 * extra is that of INIT_MOUNT and INIT_BIND. */
int target_check(int target, int mount, uint32_t extra, const char *path, Error *e);

/* An O_PATH descriptor of what is at the path, looked up from the mount in the slot, if there is one: rest, or that itself.
 * -errno. */
int target_look_up(Helper *h, InitSlot mount, const char *path, const char *rest);
/* Leaves a copy of the descriptor in the slot, if there is one. */
int target_keep(Helper *h, InitSlot slot, int mount, Error *e);

/* Puts a detached mount there. Both descriptors stay; mount is the place from now on. */
int target_attach(Helper *h, int target, int mount, const char *path, Error *e);
