/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "oci/spec.h"

/*
 * The option strings of a mount (config-linux.md, "Linux mount options"), sorted into what the kernel's mount
 * interface takes separately. A later option overrides an earlier one that says otherwise.
 */
typedef struct MountAttrs {
        uint64_t set, clear;    /* MOUNT_ATTR_*; a set access time comes with MOUNT_ATTR__ATIME cleared */
} MountAttrs;

typedef struct MountOptions {
        MountAttrs attrs;       /* of the mount itself */
        MountAttrs recursive;   /* of it and all below, set after that */
        uint64_t super;         /* MS_SYNCHRONOUS, MS_DIRSYNC, MS_MANDLOCK, MS_LAZYTIME: of the file system */
        uint64_t propagation;   /* MS_SHARED, …, with MS_REC; 0: none given */
        bool bind, rbind;       /* rbind: bind too */
        bool remount, copy_up;
        const char **data;      /* NULL-terminated: what is left, for the file system ("k=v" or "k") */
} MountOptions;

/* mount is mounts[index]. -EOPNOTSUPP: with the JSON path */
int mount_options_parse(const SpecMount *mount, size_t index, Arena *a, MountOptions *ret, Error *reterr);

/* The i-th option that is known here, in alphabetical order, NULL behind the last: for `features`. */
const char *mount_option_name(size_t i);
