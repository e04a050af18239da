/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <linux/mount.h>

#include "basic/str.h"
#include "plan/init/mount-options.h"
#include "test.h"

static Arena arena;

static MountOptions parse(const char *list) {
        _cleanup_error_ Error error = {};
        SpecMount mount = { .options = arena_calloc(&arena, strlen(list) + 1, sizeof(char *)) };
        MountOptions ret;

        for (const char *p = list; *p;) {
                size_t n = strcspn(p, " ");

                mount.options[mount.n_options++] = arena_strndup(&arena, p, n);
                p += n + strspn(p + n, " ");
        }
        if (mount_options_parse(&mount, 7, &arena, &ret, &error) < 0)
                FAIL_AT("%s: %s", list, error.message);
        return ret;
}

static void test_table(void) {
        TEST("the table is sorted, and every option of it is no data");
        for (size_t i = 1; mount_option_name(i); i++)
                ASSERT(strcmp(mount_option_name(i - 1), mount_option_name(i)) < 0);
        for (size_t i = 0; mount_option_name(i); i++)
                ASSERT(!parse(mount_option_name(i)).data[0]);
        ASSERT(!parse("").data[0]);
}

/* buildah gives one with each volume. */
static void test_empty(void) {
        const char *options[] = { "" };
        SpecMount mount = { .options = options, .n_options = 1 };
        MountOptions o;

        TEST("an empty option");
        ASSERT_EQ(mount_options_parse(&mount, 0, &arena, &o, NULL), 0);
        ASSERT(!o.words && !o.data[0]);
}

static void test_attrs(void) {
        MountOptions o;

        TEST("attributes, the last one counts");
        o = parse("ro nosuid nodev noexec nosymfollow nodiratime");
        ASSERT_EQ(o.attrs.set, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
                                       MOUNT_ATTR_NOSYMFOLLOW | MOUNT_ATTR_NODIRATIME);
        ASSERT_EQ(o.attrs.clear, 0);
        o = parse("ro suid rw nosuid symfollow");
        ASSERT_EQ(o.attrs.set, MOUNT_ATTR_NOSUID);
        ASSERT_EQ(o.attrs.clear, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSYMFOLLOW);
        TEST("recursive attributes are apart");
        o = parse("rro nosuid rsuid rnoexec rexec");
        ASSERT_EQ(o.attrs.set, MOUNT_ATTR_NOSUID);
        ASSERT_EQ(o.recursive.set, MOUNT_ATTR_RDONLY);
        ASSERT_EQ(o.recursive.clear, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
}

static void test_atime(void) {
        static const struct {
                const char *options;
                uint64_t set;
                bool chosen;
        } cases[] = {
                { "ro", 0, false },
                { "noatime", MOUNT_ATTR_NOATIME, true },
                { "strictatime", MOUNT_ATTR_STRICTATIME, true },
                { "relatime", 0, true },
                { "noatime strictatime", MOUNT_ATTR_STRICTATIME, true },
                { "strictatime noatime", MOUNT_ATTR_NOATIME, true },
                { "noatime relatime", 0, true },
                { "atime", 0, true },
                { "noatime atime", 0, true },
                { "strictatime atime", MOUNT_ATTR_STRICTATIME, true },
                { "noatime norelatime", MOUNT_ATTR_NOATIME, true },
                { "strictatime nostrictatime", 0, true },
        };

        TEST("of the access times one holds, the last");
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                MountOptions o = parse(cases[i].options);

                ASSERT_EQ(o.attrs.set & MOUNT_ATTR__ATIME, cases[i].set);
                ASSERT_EQ(o.attrs.clear & MOUNT_ATTR__ATIME, cases[i].chosen ? MOUNT_ATTR__ATIME : 0);
        }
        ASSERT_EQ(parse("rnoatime").recursive.set, MOUNT_ATTR_NOATIME);
        ASSERT_EQ(parse("rnoatime ratime").recursive.set, 0);
        ASSERT_EQ(parse("rstrictatime").recursive.clear, MOUNT_ATTR__ATIME);
        ASSERT_EQ(parse("diratime").attrs.clear, MOUNT_ATTR_NODIRATIME);
}

static void test_others(void) {
        MountOptions o;

        TEST("superblock, propagation, kinds of mounts");
        ASSERT_EQ(parse("sync dirsync mand lazytime").super,
                  MS_SYNCHRONOUS | MS_DIRSYNC | MS_MANDLOCK | MS_LAZYTIME);
        ASSERT_EQ(parse("sync async mand nomand lazytime nolazytime silent loud iversion noiversion").super, 0);
        ASSERT_EQ(parse("loud silent noiversion iversion").super, MS_SILENT | MS_I_VERSION);
        ASSERT_EQ(parse("rslave").propagation, MS_SLAVE | MS_REC);
        o = parse("bind");
        ASSERT(o.bind && !o.rbind);
        o = parse("rbind bind");
        ASSERT(o.bind && o.rbind);
        o = parse("tmpcopyup remount");
        ASSERT(o.copy_up && o.remount);
        TEST("what it means is in the options; the rest is for the file system");
        o = parse("defaults silent size=64k iversion auto x-a.b=c _netdev mode=755 ro seclabel");
        ASSERT_STR(o.data[0], "size=64k");
        ASSERT_STR(o.data[1], "mode=755");
        ASSERT_STR(o.data[2], "seclabel");
        ASSERT(!o.data[3]);
        TEST("lists within an option are cut, as the kernel would");
        o = parse("size=1,mode=755, lowerdir=/a\\,b:/c,upperdir=/u context=\"s0:c1,c2\",x");
        ASSERT_STR(o.data[0], "size=1");
        ASSERT_STR(o.data[1], "mode=755");
        ASSERT_STR(o.data[2], "lowerdir=/a,b:/c");
        ASSERT_STR(o.data[3], "upperdir=/u");
        ASSERT_STR(o.data[4], "context=s0:c1,c2");
        ASSERT_STR(o.data[5], "x");
        ASSERT(!o.data[6]);
}

/* As much memory as it is long, and not as much for each part as for all that follow. */
static void test_long_list(void) {
        _cleanup_text_ Text list = {};
        const char *options[1];
        SpecMount mount = { .options = options, .n_options = 1 };
        MountOptions o;

        TEST("a list of many");
        for (size_t i = 0; i < 50000; i++)
                text_add(&list, i % 2 > 0 ? "b\\,c," : "\"a\",,");
        options[0] = list.s;
        ASSERT_EQ(mount_options_parse(&mount, 0, &arena, &o, NULL), 0);
        ASSERT_STR(o.data[0], "a");
        ASSERT_STR(o.data[1], "b,c");
        ASSERT_STR(o.data[49999], "b,c");
        ASSERT(!o.data[50000]);
}

static void test_propagation(void) {
        static const struct {
                const char *options;
                uint64_t all, top;
        } cases[] = {
                { "ro", 0, 0 },
                { "rslave", MS_SLAVE | MS_REC, 0 },
                { "shared", MS_SHARED, 0 },
                { "shared slave", MS_SLAVE, 0 },
                { "slave shared", MS_SLAVE | MS_SHARED, 0 },
                { "rslave rshared", MS_SLAVE | MS_SHARED | MS_REC, 0 },
                { "private shared", MS_PRIVATE | MS_SHARED, 0 },
                { "private shared slave", MS_PRIVATE, 0 },
                { "unbindable slave", MS_UNBINDABLE, 0 },
                { "rprivate rslave", MS_PRIVATE | MS_REC, 0 },
                { "rslave rprivate", MS_PRIVATE | MS_REC, 0 },
                { "rslave shared", MS_SLAVE | MS_REC, MS_SLAVE | MS_SHARED },
                { "rprivate shared", MS_PRIVATE | MS_REC, MS_PRIVATE | MS_SHARED },
                { "slave rshared", MS_SHARED | MS_REC, MS_SLAVE | MS_SHARED },
                { "rshared unbindable", MS_SHARED | MS_REC, MS_UNBINDABLE },
                { "rshared unbindable rprivate", MS_PRIVATE | MS_REC, 0 },
                { "rslave shared private", MS_SLAVE | MS_REC, MS_PRIVATE },
        };

        TEST("propagation: each acts on what those before it left");
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                MountOptions o = parse(cases[i].options);

                if (o.propagation != cases[i].all || o.top_propagation != cases[i].top)
                        FAIL_AT("%s: 0x%llx, 0x%llx", cases[i].options, (unsigned long long) o.propagation,
                                (unsigned long long) o.top_propagation);
        }
}

static void test_maps(void) {
        MountOptions o;

        TEST("owners and symlinks");
        o = parse("idmap");
        ASSERT(o.idmap && !o.ridmap && !o.id_words);
        o = parse("ridmap=uids=0-1-2;gids=0-1-2 idmap");
        ASSERT(o.idmap && o.ridmap);
        ASSERT_STR(o.id_words, "uids=0-1-2;gids=0-1-2");
        ASSERT(!parse("idmap=").id_words);
        o = parse("src-nofollow dest-nofollow copy-symlink");
        ASSERT(o.source_nofollow && o.target_nofollow && o.copy_symlink);
        ASSERT_EQ(parse("ro size=1 nosuid").at[OPT_DATA], 1);
        ASSERT(!parse("ro size=1 nosuid").words);
        ASSERT(parse("ro discard size=1").words);
        ASSERT_EQ(parse("ro discard size=1").at[OPT_WORD], 1);
}

static void test_refused(void) {
        static const char *const words[] = { "rsync", "rasync", "rmand" };

        TEST("what cannot be done is refused by its JSON path");
        for (size_t i = 0; i < ELEMENTSOF(words); i++) {
                const char *list[] = { "ro", words[i] };
                SpecMount mount = { .options = list, .n_options = 2 };
                _cleanup_error_ Error error = {};
                MountOptions o;

                ASSERT_EQ(mount_options_parse(&mount, 7, &arena, &o, &error), -EOPNOTSUPP);
                ASSERT(startswith(error.message, "mounts[7].options[1]: "));
        }
}

int main(void) {
        test_table();
        test_empty();
        test_attrs();
        test_atime();
        test_others();
        test_long_list();
        test_propagation();
        test_maps();
        test_refused();
        arena_done(&arena);
        return 0;
}
