/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "oci/spec.h"

/*
 * The option strings of a mount (config.md, "Linux mount options"), sorted into what the kernel's mount
 * interface takes separately. A later option overrides an earlier one that says otherwise.
 */
typedef enum MountOptionKind {
        OPT_NOTHING,            /* understood, and nothing to be done */
        OPT_SET, OPT_CLEAR,     /* MOUNT_ATTR_* */
        OPT_ATIME, OPT_NOT_ATIME, /* a value of the access time field */
        OPT_RSET, OPT_RCLEAR, OPT_RATIME, OPT_RNOT_ATIME, /* the same recursively */
        OPT_SUPER, OPT_SUPER_CLEAR,
        OPT_PROPAGATION,
        OPT_BIND, OPT_RBIND, OPT_REMOUNT, OPT_COPY_UP,
        OPT_IDMAP, OPT_RIDMAP,
        OPT_SOURCE_NOFOLLOW, OPT_TARGET_NOFOLLOW, OPT_COPY_SYMLINK,
        OPT_UNSUPPORTED,
        OPT_DATA, OPT_WORD,     /* not in the table: for the file system, "k=v" and "k" */
        _OPT_KINDS,
} MountOptionKind;

typedef struct MountAttrs {
        uint64_t set, clear;    /* MOUNT_ATTR_*; a set access time comes with MOUNT_ATTR__ATIME cleared */
} MountAttrs;

typedef struct MountOptions {
        MountAttrs attrs;       /* of the mount itself */
        MountAttrs recursive;   /* of it and all below, set after that */
        uint64_t super;         /* MS_SYNCHRONOUS, MS_LAZYTIME, MS_SILENT …: of the file system */
        uint64_t propagation;   /* MS_SHARED, …, in the order of mount_propagation(), with MS_REC; 0: none given */
        uint64_t top_propagation; /* and after that, on the mount itself alone */
        bool bind, rbind;       /* rbind: bind too */
        bool remount, copy_up;
        bool idmap, ridmap;     /* ridmap: idmap too */
        const char *id_words;   /* of "idmap=WORDS", or NULL */
        bool source_nofollow, target_nofollow, copy_symlink;
        const char **data;      /* NULL-terminated: what is left, for the file system ("k=v" or "k") */
        bool words;             /* some of it is but a "k" */
        size_t at[_OPT_KINDS];  /* which option was the last of its kind, for messages */
} MountOptions;

/* mount is mounts[index]. -EOPNOTSUPP: with the JSON path */
int mount_options_parse(const SpecMount *mount, size_t index, Arena *a, MountOptions *ret, Error *reterr);

/* The i-th option that is known here, in alphabetical order, NULL behind the last: for `features`. */
const char *mount_option_name(size_t i);
