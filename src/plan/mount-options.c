/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/mount-options.h"

#include <errno.h>
#include <linux/mount.h>

#include "basic/str.h"

typedef enum OptionKind {
        OPT_NOTHING,            /* understood, and nothing to be done */
        OPT_SET, OPT_CLEAR,     /* MOUNT_ATTR_* */
        OPT_ATIME, OPT_NOT_ATIME, /* a value of the access time field */
        OPT_RSET, OPT_RCLEAR, OPT_RATIME, OPT_RNOT_ATIME, /* the same recursively */
        OPT_SUPER, OPT_SUPER_CLEAR,
        OPT_PROPAGATION,
        OPT_BIND, OPT_RBIND, OPT_REMOUNT, OPT_COPY_UP,
        OPT_UNSUPPORTED,
} OptionKind;

typedef struct Option {
        const char *name;
        OptionKind kind;
        uint64_t value;
} Option;

/* Sorted by name. */
static const Option options[] = {
        { "async", OPT_SUPER_CLEAR, MS_SYNCHRONOUS },
        { "atime", OPT_NOT_ATIME, MOUNT_ATTR_NOATIME },
        { "bind", OPT_BIND },
        { "defaults", OPT_NOTHING },
        { "dev", OPT_CLEAR, MOUNT_ATTR_NODEV },
        { "diratime", OPT_CLEAR, MOUNT_ATTR_NODIRATIME },
        { "dirsync", OPT_SUPER, MS_DIRSYNC },
        { "exec", OPT_CLEAR, MOUNT_ATTR_NOEXEC },
        { "idmap", OPT_UNSUPPORTED },
        { "iversion", OPT_NOTHING },    /* the file systems that have it do it always, or by an option of theirs */
        { "lazytime", OPT_SUPER, MS_LAZYTIME },
        { "loud", OPT_NOTHING },        /* no way to be silent: fsopen(2) reports to its caller alone */
        { "mand", OPT_SUPER, MS_MANDLOCK },
        { "noatime", OPT_ATIME, MOUNT_ATTR_NOATIME },
        { "nodev", OPT_SET, MOUNT_ATTR_NODEV },
        { "nodiratime", OPT_SET, MOUNT_ATTR_NODIRATIME },
        { "noexec", OPT_SET, MOUNT_ATTR_NOEXEC },
        { "noiversion", OPT_NOTHING },
        { "nolazytime", OPT_SUPER_CLEAR, MS_LAZYTIME },
        { "nomand", OPT_SUPER_CLEAR, MS_MANDLOCK },
        { "norelatime", OPT_NOT_ATIME, MOUNT_ATTR_RELATIME },
        { "nostrictatime", OPT_NOT_ATIME, MOUNT_ATTR_STRICTATIME },
        { "nosuid", OPT_SET, MOUNT_ATTR_NOSUID },
        { "nosymfollow", OPT_SET, MOUNT_ATTR_NOSYMFOLLOW },
        { "private", OPT_PROPAGATION, MS_PRIVATE },
        { "ratime", OPT_RNOT_ATIME, MOUNT_ATTR_NOATIME },
        { "rbind", OPT_RBIND },
        { "rdev", OPT_RCLEAR, MOUNT_ATTR_NODEV },
        { "rdiratime", OPT_RCLEAR, MOUNT_ATTR_NODIRATIME },
        { "relatime", OPT_ATIME, MOUNT_ATTR_RELATIME },
        { "remount", OPT_REMOUNT },
        { "rexec", OPT_RCLEAR, MOUNT_ATTR_NOEXEC },
        { "ridmap", OPT_UNSUPPORTED },
        { "rnoatime", OPT_RATIME, MOUNT_ATTR_NOATIME },
        { "rnodev", OPT_RSET, MOUNT_ATTR_NODEV },
        { "rnodiratime", OPT_RSET, MOUNT_ATTR_NODIRATIME },
        { "rnoexec", OPT_RSET, MOUNT_ATTR_NOEXEC },
        { "rnorelatime", OPT_RNOT_ATIME, MOUNT_ATTR_RELATIME },
        { "rnostrictatime", OPT_RNOT_ATIME, MOUNT_ATTR_STRICTATIME },
        { "rnosuid", OPT_RSET, MOUNT_ATTR_NOSUID },
        { "rnosymfollow", OPT_RSET, MOUNT_ATTR_NOSYMFOLLOW },
        { "ro", OPT_SET, MOUNT_ATTR_RDONLY },
        { "rprivate", OPT_PROPAGATION, MS_PRIVATE | MS_REC },
        { "rrelatime", OPT_RATIME, MOUNT_ATTR_RELATIME },
        { "rro", OPT_RSET, MOUNT_ATTR_RDONLY },
        { "rrw", OPT_RCLEAR, MOUNT_ATTR_RDONLY },
        { "rshared", OPT_PROPAGATION, MS_SHARED | MS_REC },
        { "rslave", OPT_PROPAGATION, MS_SLAVE | MS_REC },
        { "rstrictatime", OPT_RATIME, MOUNT_ATTR_STRICTATIME },
        { "rsuid", OPT_RCLEAR, MOUNT_ATTR_NOSUID },
        { "rsymfollow", OPT_RCLEAR, MOUNT_ATTR_NOSYMFOLLOW },
        { "runbindable", OPT_PROPAGATION, MS_UNBINDABLE | MS_REC },
        { "rw", OPT_CLEAR, MOUNT_ATTR_RDONLY },
        { "shared", OPT_PROPAGATION, MS_SHARED },
        { "silent", OPT_NOTHING },
        { "slave", OPT_PROPAGATION, MS_SLAVE },
        { "strictatime", OPT_ATIME, MOUNT_ATTR_STRICTATIME },
        { "suid", OPT_CLEAR, MOUNT_ATTR_NOSUID },
        { "symfollow", OPT_CLEAR, MOUNT_ATTR_NOSYMFOLLOW },
        { "sync", OPT_SUPER, MS_SYNCHRONOUS },
        { "tmpcopyup", OPT_COPY_UP },
        { "unbindable", OPT_PROPAGATION, MS_UNBINDABLE },
};

const char *mount_option_name(size_t i) {
        for (size_t k = 0; k < ELEMENTSOF(options); k++)
                if (options[k].kind != OPT_UNSUPPORTED && i-- == 0)
                        return options[k].name;
        return NULL;
}

static int compare_options(const void *a, const void *b) {
        return strcmp(((const Option *) a)->name, ((const Option *) b)->name);
}

static void set_atime(MountAttrs *attrs, uint64_t value) {
        attrs->set = (attrs->set & ~(uint64_t) MOUNT_ATTR__ATIME) | value;
        attrs->clear |= MOUNT_ATTR__ATIME;
}

/* "atime" says not noatime, "nostrictatime" not strictatime: then it is the kernel's default, which is relatime.
 * A value that an earlier option has chosen stays when it is another than the one that is not wanted. */
static void unset_atime(MountAttrs *attrs, uint64_t value) {
        bool chosen = attrs->clear & MOUNT_ATTR__ATIME;

        if (!chosen || (attrs->set & MOUNT_ATTR__ATIME) == value)
                set_atime(attrs, MOUNT_ATTR_RELATIME);
}

static void apply(const Option *option, MountOptions *to) {
        bool recursive = option->kind >= OPT_RSET && option->kind <= OPT_RNOT_ATIME;
        MountAttrs *attrs = recursive ? &to->recursive : &to->attrs;

        switch (option->kind) {
        case OPT_SET:
        case OPT_RSET:
                attrs->set |= option->value;
                attrs->clear &= ~option->value;
                break;
        case OPT_CLEAR:
        case OPT_RCLEAR:
                attrs->set &= ~option->value;
                attrs->clear |= option->value;
                break;
        case OPT_ATIME:
        case OPT_RATIME:
                set_atime(attrs, option->value);
                break;
        case OPT_NOT_ATIME:
        case OPT_RNOT_ATIME:
                unset_atime(attrs, option->value);
                break;
        case OPT_SUPER:
                to->super |= option->value;
                break;
        case OPT_SUPER_CLEAR:
                to->super &= ~option->value;
                break;
        case OPT_PROPAGATION:
                to->propagation = option->value;
                break;
        case OPT_RBIND:
        case OPT_BIND:
                to->bind = true;
                to->rbind = to->rbind || option->kind == OPT_RBIND;
                break;
        case OPT_REMOUNT:
                to->remount = true;
                break;
        case OPT_COPY_UP:
                to->copy_up = true;
                break;
        case OPT_NOTHING:
        case OPT_UNSUPPORTED:
                break;
        }
}

/* One "k=v" of a list as mount(2) takes it: up to a comma that is neither quoted nor escaped, without the quotes
 * and the backslash before a comma. Nothing takes a list any more, each is set on its own. room: for what is left of
 * the list; the next one begins behind this one. */
static const char *cut_data(const char **p, char **room) {
        char *out = *room, *end = out;
        bool quoted = false;

        for (; **p && (**p != ',' || quoted); (*p)++) {
                if (**p == '"')
                        quoted = !quoted;
                else if (**p == '\\' && (*p)[1] == ',')
                        *end++ = *++*p;
                else
                        *end++ = **p;
        }
        if (**p == ',')
                (*p)++;
        *end++ = '\0';
        *room = end;
        return out;
}

int mount_options_parse(const SpecMount *mount, size_t index, Arena *a, MountOptions *ret, Error *reterr) {
        MountOptions parsed = {};
        size_t n_data = 0, room = 1;

        for (size_t i = 0; i < mount->n_options; i++) {
                room++;
                for (const char *p = mount->options[i]; *p; p++)
                        room += *p == ',';
        }
        parsed.data = arena_calloc(a, room, sizeof(*parsed.data));
        for (size_t i = 0; i < mount->n_options; i++) {
                const Option *option, key = { .name = mount->options[i] };
                char *left = arena_alloc(a, strlen(key.name) + 1);

                option = bsearch(&key, options, ELEMENTSOF(options), sizeof(key), compare_options);
                if ((option && option->kind == OPT_UNSUPPORTED) || startswith(key.name, "idmap=") ||
                    startswith(key.name, "ridmap="))
                        return error_setf(reterr, EOPNOTSUPP, "mounts[%zu].options[%zu]: %s is not supported",
                                          index, i, key.name);
                if (option)
                        apply(option, &parsed);
                for (const char *p = option ? "" : key.name; *p;) {
                        const char *data = cut_data(&p, &left);

                        if (!isempty(data))
                                parsed.data[n_data++] = data;
                }
        }
        *ret = parsed;
        return 0;
}
