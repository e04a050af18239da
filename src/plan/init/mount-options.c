/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/init/mount-options.h"

#include <errno.h>
#include <linux/mount.h>

#include "basic/str.h"

typedef struct Option {
        const char *name;
        MountOptionKind kind;
        uint64_t value;
} Option;

/*
 * Sorted by name. mount(8) gives some to no file system, as they are about fstab: "auto", "_netdev" and their like. The
 * flags of a file system have no recursive form in the kernel; crun's table has them all the same.
 */
static const Option options[] = {
        { "_netdev", OPT_NOTHING },
        { "async", OPT_SUPER_CLEAR, MS_SYNCHRONOUS },
        { "atime", OPT_NOT_ATIME, MOUNT_ATTR_NOATIME },
        { "auto", OPT_NOTHING },
        { "bind", OPT_BIND },
        { "copy-symlink", OPT_COPY_SYMLINK },
        { "defaults", OPT_NOTHING },
        { "dest-nofollow", OPT_TARGET_NOFOLLOW },
        { "dev", OPT_CLEAR, MOUNT_ATTR_NODEV },
        { "diratime", OPT_CLEAR, MOUNT_ATTR_NODIRATIME },
        { "dirsync", OPT_SUPER, MS_DIRSYNC },
        { "exec", OPT_CLEAR, MOUNT_ATTR_NOEXEC },
        { "idmap", OPT_IDMAP },
        { "iversion", OPT_SUPER, MS_I_VERSION },
        { "lazytime", OPT_SUPER, MS_LAZYTIME },
        { "loud", OPT_SUPER_CLEAR, MS_SILENT },
        { "mand", OPT_SUPER, MS_MANDLOCK },
        { "noatime", OPT_ATIME, MOUNT_ATTR_NOATIME },
        { "noauto", OPT_NOTHING },
        { "nodev", OPT_SET, MOUNT_ATTR_NODEV },
        { "nodiratime", OPT_SET, MOUNT_ATTR_NODIRATIME },
        { "noexec", OPT_SET, MOUNT_ATTR_NOEXEC },
        { "noiversion", OPT_SUPER_CLEAR, MS_I_VERSION },
        { "nolazytime", OPT_SUPER_CLEAR, MS_LAZYTIME },
        { "nomand", OPT_SUPER_CLEAR, MS_MANDLOCK },
        { "norelatime", OPT_NOT_ATIME, MOUNT_ATTR_RELATIME },
        { "nostrictatime", OPT_NOT_ATIME, MOUNT_ATTR_STRICTATIME },
        { "nosuid", OPT_SET, MOUNT_ATTR_NOSUID },
        { "nosymfollow", OPT_SET, MOUNT_ATTR_NOSYMFOLLOW },
        { "nouser", OPT_NOTHING },
        { "private", OPT_PROPAGATION, MS_PRIVATE },
        { "rasync", OPT_UNSUPPORTED },
        { "ratime", OPT_RNOT_ATIME, MOUNT_ATTR_NOATIME },
        { "rbind", OPT_RBIND },
        { "rdev", OPT_RCLEAR, MOUNT_ATTR_NODEV },
        { "rdiratime", OPT_RCLEAR, MOUNT_ATTR_NODIRATIME },
        { "rdirsync", OPT_UNSUPPORTED },
        { "relatime", OPT_ATIME, MOUNT_ATTR_RELATIME },
        { "remount", OPT_REMOUNT },
        { "rexec", OPT_RCLEAR, MOUNT_ATTR_NOEXEC },
        { "ridmap", OPT_RIDMAP },
        { "rmand", OPT_UNSUPPORTED },
        { "rnoatime", OPT_RATIME, MOUNT_ATTR_NOATIME },
        { "rnodev", OPT_RSET, MOUNT_ATTR_NODEV },
        { "rnodiratime", OPT_RSET, MOUNT_ATTR_NODIRATIME },
        { "rnoexec", OPT_RSET, MOUNT_ATTR_NOEXEC },
        { "rnomand", OPT_UNSUPPORTED },
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
        { "rsync", OPT_UNSUPPORTED },
        { "runbindable", OPT_PROPAGATION, MS_UNBINDABLE | MS_REC },
        { "rw", OPT_CLEAR, MOUNT_ATTR_RDONLY },
        { "shared", OPT_PROPAGATION, MS_SHARED },
        { "silent", OPT_SUPER, MS_SILENT },
        { "slave", OPT_PROPAGATION, MS_SLAVE },
        { "src-nofollow", OPT_SOURCE_NOFOLLOW },
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

/* What comes of one more operation (mount_namespaces(7)): who was made private has nobody to be a slave of, and who
 * is a slave can be shared beyond that. */
static uint64_t propagate(uint64_t state, uint64_t kind) {
        const uint64_t alone = state & (MS_PRIVATE | MS_UNBINDABLE);

        if (kind == MS_SHARED)
                return state | MS_SHARED;
        return kind == MS_SLAVE && alone ? alone : kind;
}

/* Of the mount itself, and of those below it when something was said of them. */
static void add_propagation(MountOptions *to, uint64_t value) {
        uint64_t kind = value & ~(uint64_t) MS_REC, below = to->propagation & MS_REC ? to->propagation : 0;
        uint64_t top = to->top_propagation ?: to->propagation;

        top = propagate(top & ~(uint64_t) MS_REC, kind);
        if (value & MS_REC)
                below = propagate(below & ~(uint64_t) MS_REC, kind) | MS_REC;
        to->propagation = below ?: top;
        to->top_propagation = below == 0 || below == (top | MS_REC) ? 0 : top;
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
                add_propagation(to, option->value);
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
        case OPT_RIDMAP:
        case OPT_IDMAP:
                to->idmap = true;
                to->ridmap = to->ridmap || option->kind == OPT_RIDMAP;
                break;
        case OPT_SOURCE_NOFOLLOW:
                to->source_nofollow = true;
                break;
        case OPT_TARGET_NOFOLLOW:
                to->target_nofollow = true;
                break;
        case OPT_COPY_SYMLINK:
                to->copy_symlink = true;
                break;
        default:
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

/* The option of the table that this one is; "idmap=WORDS" is idmap. Nothing is what mount(8) takes for a comment, and an
 * empty word, as buildah gives one with each volume. */
static Option find(const char *name, MountOptions *to) {
        const Option *option, key = { .name = name };
        const char *words;

        option = bsearch(&key, options, ELEMENTSOF(options), sizeof(key), compare_options);
        if (option)
                return *option;
        words = startswith(name, "idmap=") ?: startswith(name, "ridmap=");
        if (words) {
                to->id_words = words[0] ? words : to->id_words;
                return (Option){ .kind = name[0] == 'r' ? OPT_RIDMAP : OPT_IDMAP };
        }
        if (!name[0] || (startswith(name, "x-") && !strchr(name, ',')))
                return (Option){ .kind = OPT_NOTHING };
        return (Option){ .kind = strchr(name, '=') ? OPT_DATA : OPT_WORD };
}

/* As many as there can be, and the NULL. */
static size_t count_data(const SpecMount *mount) {
        size_t n = 1;

        for (size_t i = 0; i < mount->n_options; i++) {
                n++;
                for (const char *p = mount->options[i]; *p; p++)
                        n += *p == ',';
        }
        return n;
}

int mount_options_parse(const SpecMount *mount, size_t index, Arena *a, MountOptions *ret, Error *reterr) {
        MountOptions parsed = { .data = arena_calloc(a, count_data(mount), sizeof(*parsed.data)) };
        size_t n_data = 0;

        for (size_t i = 0; i < mount->n_options; i++) {
                const char *name = mount->options[i];
                char *room = arena_alloc(a, strlen(name) + 1);
                Option option = find(name, &parsed);

                if (option.kind == OPT_UNSUPPORTED)
                        return error_setf(reterr, EOPNOTSUPP, "mounts[%zu].options[%zu]: %s: the flags of a file "
                                          "system cannot be set mount by mount", index, i, name);
                if (option.kind != OPT_SUPER || option.value != MS_SILENT) /* that one is never in the way */
                        parsed.at[option.kind] = i;
                apply(&option, &parsed);
                parsed.words = parsed.words || option.kind == OPT_WORD;
                for (const char *p = option.kind == OPT_DATA || option.kind == OPT_WORD ? name : ""; *p;) {
                        const char *data = cut_data(&p, &room);

                        if (!isempty(data))
                                parsed.data[n_data++] = data;
                }
        }
        *ret = parsed;
        return 0;
}
