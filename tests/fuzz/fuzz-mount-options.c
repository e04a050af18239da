/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <linux/mount.h>

#include "fuzz.h"
#include "plan/init/mount-options.h"

/* A line an option. */

#define OPTIONS_MAX 64
#define ALL_ATTRS                                                                                       \
        (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |                 \
         MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW)

/* Nothing is set and cleared but the access time, a field that is cleared when it is set. */
static void check_attrs(const MountAttrs *attrs) {
        ASSERT((attrs->set & ~(uint64_t) ALL_ATTRS) == 0);
        ASSERT((attrs->clear & ~(uint64_t) ALL_ATTRS) == 0);
        ASSERT((attrs->set & attrs->clear & ~(uint64_t) MOUNT_ATTR__ATIME) == 0);
        if (attrs->set & MOUNT_ATTR__ATIME)
                ASSERT((attrs->clear & MOUNT_ATTR__ATIME) == MOUNT_ATTR__ATIME);
        ASSERT((attrs->set & MOUNT_ATTR__ATIME) != MOUNT_ATTR__ATIME);
}

/* The last of an option and its opposite counts. */
static void check_last(const SpecMount *mount, const MountAttrs *attrs, const char *on, const char *off,
                       uint64_t bit) {
        int last = 0;

        for (size_t i = 0; i < mount->n_options; i++)
                if (streq(mount->options[i], on))
                        last = 1;
                else if (streq(mount->options[i], off))
                        last = -1;
        ASSERT_EQ((attrs->set & bit) != 0, last > 0);
        ASSERT_EQ((attrs->clear & bit) != 0, last < 0);
}

static bool is_known(const char *option) {
        const char *known;

        for (size_t i = 0; (known = mount_option_name(i)); i++)
                if (streq(known, option))
                        return true;
        return false;
}

/* What is left for the file system: something, and no more than there was. */
static void check_data(const SpecMount *mount, const MountOptions *o) {
        size_t left = 0, given = 0, n = 0, most = 0;

        for (size_t i = 0; i < mount->n_options; i++) {
                if (is_known(mount->options[i]))
                        continue;
                given += strlen(mount->options[i]);
                most++;
                for (const char *p = mount->options[i]; *p; p++)
                        most += *p == ',';
        }
        for (; o->data[n]; n++) {
                ASSERT(o->data[n][0] != '\0');
                left += strlen(o->data[n]);
        }
        ASSERT(left <= given);
        ASSERT(n <= most);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *input = input_string(data, size);
        const char *options[OPTIONS_MAX];
        SpecMount mount = { .destination = "/a", .options = options };
        _cleanup_(arena_done) Arena a = {};
        _cleanup_error_ Error e = {};
        MountOptions o = {};
        char *rest = input;
        int r;

        while (rest && mount.n_options < OPTIONS_MAX)
                options[mount.n_options++] = next_line(&rest);
        r = mount_options_parse(&mount, 3, &a, &o, &e);
        if (r < 0) {
                check_error(r, &e);
                ASSERT(startswith(e.message, "mounts[3].options["));
                return 0;
        }
        for (size_t i = 0; i < _OPT_KINDS; i++)
                ASSERT(o.at[i] == 0 || o.at[i] < mount.n_options);
        check_attrs(&o.attrs);
        check_attrs(&o.recursive);
        check_last(&mount, &o.attrs, "ro", "rw", MOUNT_ATTR_RDONLY);
        check_last(&mount, &o.attrs, "nosuid", "suid", MOUNT_ATTR_NOSUID);
        check_last(&mount, &o.attrs, "nodev", "dev", MOUNT_ATTR_NODEV);
        check_last(&mount, &o.attrs, "noexec", "exec", MOUNT_ATTR_NOEXEC);
        check_last(&mount, &o.attrs, "nosymfollow", "symfollow", MOUNT_ATTR_NOSYMFOLLOW);
        check_last(&mount, &o.recursive, "rro", "rrw", MOUNT_ATTR_RDONLY);
        check_last(&mount, &o.recursive, "rnosuid", "rsuid", MOUNT_ATTR_NOSUID);
        check_data(&mount, &o);
        return 0;
}
