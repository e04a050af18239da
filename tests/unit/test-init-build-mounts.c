/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "init-build-fixture.h"

#define OTHER_MAPS                                                             \
        ",\"uidMappings\":[{\"containerID\":0,\"hostID\":5000,\"size\":10}]," \
        "\"gidMappings\":[{\"containerID\":0,\"hostID\":6000,\"size\":10}]"
#define MAPPED(to, options, maps) \
        "{\"destination\":\"" to "\",\"type\":\"bind\",\"source\":\"/s\",\"options\":[\"rbind\"" options "]" maps "}"

static void test_idmaps(void) {
        TEST("mounts with the same maps share a user namespace, and mappings alone are enough");
        {
                _cleanup_built_ Built b = BUILD(
                        .facts = root, .namespaces = USER, .linux_ = MAPS,
                        .mounts = MAPPED("/a", ",\"idmap\"", "") "," MAPPED("/b", ",\"ridmap\"", OTHER_MAPS) ","
                                  MAPPED("/c", "", OTHER_MAPS) "," MAPPED("/d", "", MAPS) "," BIND("/e"));

                assert_contains(&b, "idmap slot=0 uids=[0:1000:10] gids=[0:1000:10]\n"
                                    "idmap slot=1 uids=[0:5000:10] gids=[0:6000:10]\n"
                                    "open-tree path=/s slot=2 extra=recursive,locked idmap=0\n"
                                    "open-tree path=/s slot=3 extra=recursive,locked idmap=1 idmap-recursive\n"
                                    "open-tree path=/s slot=4 extra=recursive,locked idmap=1\n"
                                    "open-tree path=/s slot=5 extra=recursive,locked idmap=0\n"
                                    "open-tree path=/b/data slot=6 extra=recursive,locked attrs=ro\n"
                                    "lock-sources\n"
                                    NODES(7, 8, 9, 10, 11, 12, 1000)
                                    "enter-rootfs path=/b/rootfs\n"
                                    "userns\n");
                assert_has(&b, "bind target=/b slot=3 propagation=slave,recursive");
        }
        TEST("without a user namespace too, and without others being opened early");
        {
                _cleanup_built_ Built b = BUILD(.facts = root,
                                                .mounts = MAPPED("/a", ",\"idmap\"", MAPS) "," BIND("/e"));

                ASSERT_EQ(count(&b.plan, INIT_OPEN_TREE), 1);
                assert_has(&b, "bind source=/b/data target=/e attrs=ro");
        }
        TEST("those of a user namespace that is joined");
        {
                _cleanup_built_ Built b = BUILD(.facts = root, .namespaces = JOINED("user"),
                                                .mounts = MAPPED("/a", ",\"idmap\"", ""));

                assert_contains(&b, "open-ns path=/proc/7/ns/user slot=1 type=user\n"
                                    "open-ns path=/proc/7/ns/user slot=0 type=user\n"
                                    "open-tree path=/s slot=2 extra=recursive,locked idmap=0\n");
        }
        TEST("new file systems are made before power over them is given up");
        {
                _cleanup_built_ Built b = BUILD(.facts = root, .namespaces = USER, .linux_ = MAPS,
                                                .mounts = MOUNT("/a", "ext4", "\"idmap\",\"ro\",\"noatime\",\"x=1\""));

                assert_contains(&b, "open-fs type=ext4 source=s slot=1 super=ro idmap=0 options=[x=1]\n"
                                    NODES(2, 3, 4, 5, 6, 7, 1000)
                                    "enter-rootfs path=/b/rootfs\nuserns\n");
                assert_has(&b, "bind target=/a slot=1 attrs=ro,noatime clear=atime");
        }
}

static void test_sources(void) {
#define FROM(source, to) "{\"destination\":\"" to "\",\"type\":\"bind\",\"source\":\"" source "\",\"options\":[\"bind\"]}"
        TEST("sources in the rootfs are paths of the container, opened with what is mounted there by then");
        {
                _cleanup_built_ Built b = BUILD(.facts = root, .namespaces = USER, .linux_ = MAPS,
                                                .mounts = FROM("rootfs/x", "/a") "," FROM("/b/rootfs/../y", "/c"));

                assert_contains(&b, "open-tree path=/b/rootfs/../y slot=1 extra=locked\nlock-sources\nopener\n"
                                    NODES(2, 3, 4, 5, 6, 7, 1000)
                                    "enter-rootfs path=/b/rootfs\nuserns\n");
                assert_contains(&b, "open-tree path=/x slot=0 extra=source-in-root\nbind target=/a slot=0\nbind target=/c slot=1");
        }
        {
                _cleanup_built_ Built b = BUILD(.facts = root, .mounts = FROM("rootfs", "/a"));

                assert_has(&b, "bind source=/ target=/a extra=source-in-root");
        }
        TEST("by a user, too, and in a mount namespace that is joined");
        {
                _cleanup_built_ Built b = BUILD(.facts = { .rootless = true }, .namespaces = USER, .linux_ = MAPS,
                                                .mounts = FROM("/b/rootfs//x/..", "/a"));

                assert_has(&b, "bind source=/x/.. target=/a extra=source-in-root");
        }
        {
                _cleanup_built_ Built b = BUILD(.facts = root, .all_namespaces = true,
                                                .namespaces = "{\"type\":\"mount\",\"path\":\"/m\"}",
                                                .mounts = FROM("rootfs/x", "/a"));

                assert_has(&b, "bind source=/x target=/a propagation=slave,recursive extra=source-in-root");
        }
}

#define SHARED ",\"rootfsPropagation\":\"rshared\""
#define OPTIONS(options) MOUNT("/a", "bind", options)

static void test_locked_sources(void) {
        static const struct { const char *namespaces, *mounts, *linux_; HostFacts facts; bool locked; } cases[] = {
                { USER, BIND("/a"), MAPS, { .privileged = true }, true },
                { USER, MAPPED("/a", ",\"idmap\"", ""), MAPS, { .privileged = true }, true },
                { USER, OPTIONS("\"rshared\""), MAPS, { .privileged = true }, true },
                { USER, OPTIONS("\"rslave\",\"shared\""), MAPS SHARED, { .privileged = true }, true },
                { USER, OPTIONS("\"private\""), MAPS SHARED, { .privileged = true }, true },
                { USER, OPTIONS("\"rshared\""), MAPS SHARED, { .privileged = true }, false },
                { USER, BIND("/a"), MAPS SHARED, { .privileged = true }, false },
                { USER, MOUNT("/a", "bind", ""), MAPS, { .privileged = true, .own_userns = true }, true },
                { USER, BIND("/a"), MAPS, { .rootless = true }, false },
                { JOINED("user"), BIND("/a"), "", { .privileged = true }, true },
                { PID, MAPPED("/a", ",\"idmap\"", MAPS), "", { .privileged = true }, false },
                { USER, FROM("rootfs/x", "/a"), MAPS, { .privileged = true }, false },
        };

        TEST("mounts of the host are locked for a user namespace, but for those that are shared with it");
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_built_ Built b = BUILD(.facts = cases[i].facts, .namespaces = cases[i].namespaces,
                                                .mounts = cases[i].mounts, .linux_ = cases[i].linux_);

                ASSERT_EQ(count(&b.plan, INIT_LOCK_SOURCES), cases[i].locked ? 1 : 0);
        }
}

static void test_id_words(void) {
        static const struct {
                const char *option, *printed;
        } good[] = {
                { "idmap=uids=0-7-2#10-20-3;gids=5-6-1", "uids=[0:7:2,10:20:3] gids=[5:6:1]" },
                { "ridmap=gids=#1-1-1;uids=2-2-2;", "uids=[2:2:2] gids=[1:1:1]" },
                /* The container's: 0 to 9 are 1000 to 1009, 10 to 12 are 7 to 9. */
                { "idmap=uids=@40-8-4#1-1-1;gids=@0-0-1", "uids=[40:1008:2,42:7:2,1:1:1] "
                                                          "gids=[0:1000:1]" },
        };
        static const char *const bad[] = {
                "idmap=x", "idmap=uids=0-0-1", "idmap=gids=0-0-1", "idmap=uids=;gids=", "idmap=uids=0-0-0;gids=0-0-1",
                "idmap=uids=0-0;gids=0-0-1", "idmap=uids=-0-0-1;gids=0-0-1", "idmap=uids= 0-0-1;gids=0-0-1",
                "idmap=uids=0-0-1,gids=0-0-1", "idmap=uids=0-0-4294967296;gids=0-0-1", "idmap=uids=0-0-1x;gids=0-0-1",
                "idmap=uids=0-0-5#4-9-1;gids=0-0-1", "idmap=uids=@0-12-2;gids=0-0-1", "idmap=uids=@0-99-1;gids=0-0-1",
                "idmap=uids=4294967290-0-99;gids=0-0-1",
        };
#define LONG_MAPS                                                                                                     \
        ",\"uidMappings\":[{\"containerID\":0,\"hostID\":1000,\"size\":10},{\"containerID\":10,\"hostID\":7,\"size\":3}]," \
        "\"gidMappings\":[{\"containerID\":0,\"hostID\":1000,\"size\":10}]"

        TEST("maps in the words of an option");
        for (size_t i = 0; i < ELEMENTSOF(good); i++) {
                char json[256];

                snprintf(json, sizeof(json), MAPPED("/a", ",\"%s\"", ""), good[i].option);
                _cleanup_built_ Built b = BUILD(.facts = root, .namespaces = USER, .linux_ = LONG_MAPS, .mounts = json);

                assert_contains(&b, good[i].printed);
                ASSERT_EQ(b.plan.steps[first(&b.plan, INIT_OPEN_TREE)].open_tree.idmap_recursive, good[i].option[0] == 'r');
        }
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                char json[256];

                snprintf(json, sizeof(json), MAPPED("/a", ",\"%s\"", ""), bad[i]);
                REFUSE(EINVAL, "mounts[0].options[1]", .facts = root, .namespaces = USER, .linux_ = LONG_MAPS,
                       .mounts = json);
        }
}

static void test_idmaps_refused(void) {
        TEST("mappings that cannot be");
        REFUSE(EINVAL, "mounts[0].options[1]: ", .facts = root, .mounts = MAPPED("/a", ",\"idmap\"", ""));
        REFUSE(EINVAL, "mounts[0].options[1]: ", .facts = root, .mounts = MAPPED("/a", ",\"ridmap=\"", ""));
        REFUSE(EINVAL, "mounts[0].options[1]: ", .facts = root,
               .mounts = MAPPED("/a", ",\"idmap=uids=0-0-1;gids=0-0-1\"", MAPS));
        REFUSE(EOPNOTSUPP, "mounts[0].options[1]: ", .facts = { .rootless = true }, .namespaces = USER, .linux_ = MAPS,
               .mounts = MAPPED("/a", ",\"idmap\"", MAPS));
        REFUSE(EOPNOTSUPP, "mounts[0].uidMappings: ", .facts = { .rootless = true }, .namespaces = USER, .linux_ = MAPS,
               .mounts = MAPPED("/a", "", MAPS));
        REFUSE(EINVAL, "mounts[0].options[0]: ", .facts = root, .namespaces = USER, .linux_ = MAPS,
               .mounts = MOUNT("/a", "cgroup", "\"idmap\""));
        REFUSE(EINVAL, "mounts[0].options[1]: ", .facts = root, .namespaces = USER, .linux_ = MAPS,
               .mounts = MOUNT("/a", "none", "\"remount\",\"ridmap\""));
        REFUSE(EINVAL, "mounts[0].options[1]: ", .facts = root, .namespaces = USER, .linux_ = MAPS,
               .mounts = MOUNT("/a", "tmpfs", "\"tmpcopyup\",\"idmap\""));
}

static void test_options(void) {
        TEST("remounts, with bind or without: of the mount, and never of its file system");
        {
                _cleanup_built_ Built b = BUILD(
                        .facts = root,
                        .mounts = PROC "," MOUNT("/proc", "none", "\"remount\",\"ro\",\"exec\"") ","
                                  MOUNT("/a", "bind", "\"rbind\",\"remount\",\"rro\",\"rnosuid\",\"rslave\",\"shared\""));

                assert_has(&b, "remount path=/proc attrs=ro clear=noexec mount=0");
                assert_has(&b, "remount path=/a recursive-attrs=ro,nosuid propagation=slave,recursive "
                               "top-propagation=shared,slave");
        }
        TEST("symlinks");
        {
                _cleanup_built_ Built b = BUILD(.facts = root,
                                                .mounts = MAPPED("/a", ",\"src-nofollow\",\"dest-nofollow\"", "") ","
                                                          MAPPED("/b", ",\"copy-symlink\"", ""));

                assert_has(&b, "bind source=/s target=/a extra=recursive,no-source-follow,no-target-follow");
                assert_has(&b, "bind source=/s target=/b extra=recursive,no-source-follow,copy-symlink");
        }
        {
                _cleanup_built_ Built b = BUILD(.facts = root, .namespaces = USER, .linux_ = MAPS,
                                                .mounts = MAPPED("/b", ",\"copy-symlink\"", ""));

                assert_has(&b, "open-tree path=/s slot=0 extra=recursive,no-source-follow,locked");
                assert_has(&b, "bind target=/b slot=0 propagation=slave,recursive extra=copy-symlink");
        }
        TEST("what a file system takes by name goes past a bind");
        {
                _cleanup_built_ Built b = BUILD(.facts = root, .mounts = MOUNT("/a", "bind", "\"ro\",\"size=1\""));

                assert_has(&b, "bind source=/b/s target=/a attrs=ro");
        }
        TEST("options that are for other mounts");
        REFUSE(EINVAL, "mounts[0].options[1]: \"noexce\" ", .facts = root,
               .mounts = MOUNT("/a", "bind", "\"size=1\",\"noexce\""));
        REFUSE(EINVAL, "mounts[0].options[0]: \"size=1\" ", .facts = root, .mounts = MOUNT("/a", "cgroup", "\"size=1\""));
        REFUSE(EINVAL, "mounts[0].options[0]: \"sync\" ", .facts = root,
               .mounts = MOUNT("/a", "bind", "\"sync\",\"silent\""));
        REFUSE(EINVAL, "mounts[0].options[1]: \"lazytime\" ", .facts = root,
               .mounts = MOUNT("/a", "none", "\"remount\",\"lazytime\""));
        REFUSE(EINVAL, "mounts[0].options[0]: ", .facts = root, .mounts = MOUNT("/a", "ext4", "\"tmpcopyup\""));
        REFUSE(EINVAL, "mounts[0].options[0]: ", .facts = root, .mounts = MOUNT("/a", "tmpfs", "\"copy-symlink\""));
        REFUSE(EINVAL, "mounts[0].options[0]: ", .facts = root, .mounts = MOUNT("/a", "tmpfs", "\"src-nofollow\""));
        REFUSE(EINVAL, "mounts[0].options[0]: ", .facts = root, .mounts = MOUNT("/a", "tmpfs", "\"dest-nofollow\""));
        REFUSE(EINVAL, "mounts[0].options[2]: ", .facts = root,
               .mounts = MAPPED("/a", ",\"src-nofollow\",\"copy-symlink\"", ""));
        REFUSE(EOPNOTSUPP, "mounts[0].options[0]: rsync: ", .facts = root, .mounts = MOUNT("/a", "bind", "\"rsync\""));
        {
                _cleanup_built_ Built b = BUILD(.facts = root, .mounts = MOUNT("/a", "bind", "\"async\",\"silent\","
                                                                               "\"nolazytime\",\"x-gvfs-hide\""));

                assert_has(&b, "bind source=/b/s target=/a");
        }
}

static void test_joined(void) {
#define MQUEUE MOUNT("/dev/mqueue", "mqueue")
        TEST("what shows a namespace that is joined is mounted before the user namespace");
        {
                _cleanup_built_ Built b = BUILD(
                        .facts = root, .namespaces = USER JOINED("ipc") JOINED("network") JOINED("pid") ",{\"type\":\"time\"}",
                        .linux_ = MAPS ",\"timeOffsets\":{\"monotonic\":{\"secs\":5}}",
                        .mounts = PROC "," MQUEUE "," SYS "," BIND("/x"));

                assert_contains(&b, "open-fs type=proc source=proc slot=10 pid-namespace=2 options=[]\n"
                                    "open-fs type=mqueue source=s slot=11 options=[]\n"
                                    "open-fs type=sysfs source=sysfs slot=12 options=[]\n"
                                    "join slot=2 type=pid\n"
                                    "userns\n"
                                    "unshare flags=mount,time\n"
                                    "time-offsets boottime=0 boottime-ns=0 monotonic=5 monotonic-ns=0\n"
                                    "setsid\n");
                assert_has(&b, "bind target=/proc slot=10 extra=no-target-symlink,target-on-proc");
                assert_has(&b, "bind target=/sys slot=12 attrs=ro extra=no-target-symlink");
        }
        TEST("and what shows the runtime's; but the root of a user namespace has not that power");
        {
                _cleanup_built_ Built b = BUILD(.facts = root, .namespaces = USER, .linux_ = MAPS,
                                                .mounts = PROC "," MQUEUE "," SYS);

                ASSERT_EQ(count(&b.plan, INIT_OPEN_FS), 3);
                assert_has(&b, "bind target=/sys slot=8 attrs=ro extra=no-target-symlink");
        }
        {
                _cleanup_built_ Built b = BUILD(.facts = { .privileged = true, .own_userns = true }, .namespaces = USER,
                                                .linux_ = MAPS, .mounts = PROC "," MQUEUE);

                ASSERT_EQ(count(&b.plan, INIT_OPEN_FS), 0);
        }
}

static void test_ids(void) {
        static const struct {
                const char *maps, *process, *line;
        } cases[] = {
                { "{\"containerID\":0,\"hostID\":9,\"size\":10}", "5", "userns" },
                { "{\"containerID\":5,\"hostID\":9,\"size\":2},{\"containerID\":0,\"hostID\":1,\"size\":1}", "5", "userns" },
                { "{\"containerID\":3,\"hostID\":9,\"size\":10}", "5", "userns uid=5 gid=5" },
                { "{\"containerID\":3,\"hostID\":9,\"size\":10}", "13", "userns uid=3 gid=3" },
        };

        TEST("a user namespace without a root");
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char json[256], process[64];

                snprintf(json, sizeof(json), ",\"uidMappings\":[%s],\"gidMappings\":[%s]", cases[i].maps, cases[i].maps);
                snprintf(process, sizeof(process), ",\"user\":{\"uid\":%s,\"gid\":%s}", cases[i].process,
                         cases[i].process);
                _cleanup_built_ Built b = BUILD(.facts = root, .namespaces = USER, .linux_ = json, .process = process);

                assert_contains(&b, arena_printf(&b.plan.arena, "\n%s\n", cases[i].line));
        }
}

#define NO_MOUNTS " " /* not even the fixture's */

static void test_locked_mounts(void) {
        static const struct { const char *namespaces, *mounts, *linux_, *process; HostFacts facts; bool locked; } cases[] = {
                { PID, PROC, "", "", { .privileged = true }, true },
                { PID, PROC, ",\"rootfsPropagation\":\"unbindable\"", "", { .privileged = true }, true },
                { PID, PROC, ",\"rootfsPropagation\":\"rshared\"", "", { .privileged = true }, true },
                { PID, MOUNT("/x", "tmpfs", "\"unbindable\""), "", "", { .privileged = true }, true },
                { PID, PROC, "", ",\"capabilities\":{\"bounding\":[\"CAP_SYS_ADMIN\"]}", { .privileged = true }, false },
                { PID, NO_MOUNTS, "", "", { .privileged = true }, false },
                { PID, NO_MOUNTS, ",\"maskedPaths\":[\"/x\"]", "", { .privileged = true }, true },
        };

        TEST("mounts are locked together where nobody may unmount");
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_built_ Built b = BUILD(.facts = cases[i].facts, .namespaces = cases[i].namespaces,
                                                .mounts = cases[i].mounts, .linux_ = cases[i].linux_,
                                                .process = cases[i].process);

                ASSERT_EQ(count(&b.plan, INIT_LOCK_MOUNTS), cases[i].locked ? 1 : 0);
        }
}

static void test_propagation_again(void) {
        TEST("copies are shared and unbindable again, in the order of the list, where they are in sight");
        {
                _cleanup_built_ Built b = BUILD(
                        .facts = root, .linux_ = ",\"rootfsPropagation\":\"rshared\"",
                        .mounts = MOUNT("/a", "tmpfs", "\"private\"") "," MOUNT("/b", "tmpfs", "\"rslave\",\"shared\"") ","
                                  MOUNT("/b/c", "tmpfs", "\"slave\"") "," MOUNT("/b/d", "tmpfs", "") ","
                                  MOUNT("/b", "none", "\"remount\",\"ro\"") "," MOUNT("/e/f", "tmpfs", "\"unbindable\"") ","
                                  MOUNT("/e", "tmpfs", ""));

                assert_contains(&b, "lock-mounts\n"
                                    "remount path=/b propagation=slave,recursive top-propagation=shared,slave\n"
                                    "remount path=/b/c propagation=slave\n"
                                    "share-root flags=shared,recursive\n");
        }
        TEST("what copies keep is left alone");
        {
                _cleanup_built_ Built b = BUILD(.facts = root, .mounts = MOUNT("/a", "tmpfs", "\"private\",\"rslave\""));

                ASSERT_EQ(count(&b.plan, INIT_LOCK_MOUNTS), 1);
                ASSERT_EQ(count(&b.plan, INIT_REMOUNT), 0);
        }
}

#define MOUNT_NS "{\"type\":\"mount\",\"path\":\"/m\"}"

static void test_mount_namespaces(void) {
        TEST("a mount namespace that is joined: a copy of the rootfs, complete before it is there, and nobody's root is changed");
        {
                _cleanup_built_ Built b = BUILD(.facts = root, .all_namespaces = true, .namespaces = MOUNT_NS PID,
                                                .mounts = PROC "," DEV "," BIND("/x"),
                                                .linux_ = ",\"rootfsPropagation\":\"shared\"");

                assert_contains(&b, "open-ns path=/m slot=0 type=mount\njoin slot=0 type=mount\nunshare flags=mount\nsetsid\n");
                assert_contains(&b, "rootfs path=/b/rootfs propagation=slave,recursive\n");
                assert_contains(&b, "chroot\ndetach locked\njoin slot=0 type=mount\nchroot\nshare-root flags=shared\n");
                ASSERT_EQ(count(&b.plan, INIT_PIVOT), 0);
        }
        {
                _cleanup_built_ Built b = BUILD(.facts = root, .all_namespaces = true, .mounts = BIND("/x"),
                                                .namespaces = MOUNT_NS JOINED("user"));

                ASSERT(startswith(b.text.s, "# the launcher gives the pipes on 0, 1, 2 to the user\n"
                                            "open-ns path=/m slot=0 type=mount\n"
                                            "open-ns path=/proc/7/ns/user slot=1 type=user\n"
                                            "join slot=0 type=mount\n"
                                            NODES(2, 3, 4, 5, 6, 7, 0)
                                            "join slot=1 type=user\n"
                                            "become-root\n"
                                            "unshare flags=mount\n"
                                            "setsid\n"));
                assert_has(&b, "bind source=/b/data target=/x attrs=ro propagation=slave,recursive");
        }
        {
                _cleanup_built_ Built b = BUILD(.facts = { .rootless = true }, .all_namespaces = true,
                                                .mounts = BIND("/x"), .namespaces = MOUNT_NS JOINED("user"));

                assert_contains(&b, "join slot=1 type=user\nbecome-root\njoin slot=0 type=mount\nunshare flags=mount\nsetsid\n");
                assert_has(&b, "bind source=/b/data target=/x attrs=ro propagation=slave,recursive");
        }
        {
                _cleanup_built_ Built b = BUILD(.facts = root, .all_namespaces = true, .namespaces = MOUNT_NS,
                                                .linux_ = ",\"maskedPaths\":[\"/x\"],\"rootfsPropagation\":\"unbindable\"");

                assert_contains(&b, "mask path=/x null=1\ndetach locked\njoin slot=0 type=mount\nchroot\nshare-root flags=unbindable\n");
        }
        REFUSE(EOPNOTSUPP, "mounts[0].options: \"unbindable\" is not to be had in a mount namespace that is joined",
               .facts = root, .all_namespaces = true, .namespaces = MOUNT_NS, .mounts = MOUNT("/x", "tmpfs", "\"runbindable\""));
        TEST("and what is mounted there is attached by others, and taken away again");
        {
                _cleanup_built_ Built b = BUILD(.facts = root, .all_namespaces = true, .mounts = BIND("/x"),
                                                .namespaces = MOUNT_NS JOINED("user") JOINED("pid"));
                _cleanup_(init_plan_done) InitPlan attach = {}, plan = {}, rootless = {};
                const HostFacts user = { .rootless = true };
                _cleanup_text_ Text text = {};

                ASSERT_EQ(init_plan_build_attach(b.spec, &user, "/b/rootfs", &attach, NULL), 0);
                init_plan_print(&attach, &text);
                ASSERT_EQ(init_plan_build_unmount(b.spec, &root, "/b/rootfs", 7, &plan, NULL), 0);
                ASSERT_EQ(init_plan_build_unmount(b.spec, &user, "/b/rootfs", 8, &rootless, NULL), 0);
                init_plan_print(&plan, &text);
                init_plan_print(&rootless, &text);
                ASSERT_STR(text.s, "open-ns path=/m slot=0 type=mount\n"
                                   "open-ns path=/proc/7/ns/user slot=1 type=user\n"
                                   "join slot=1 type=user\n"
                                   "join slot=0 type=mount\n"
                                   "attach path=/b/rootfs\n"
                                   "ready\n"
                                   "open-ns path=/m slot=0 type=mount\n"
                                   "join slot=0 type=mount\n"
                                   "unmount path=/b/rootfs id=7\n"
                                   "open-ns path=/m slot=0 type=mount\n"
                                   "open-ns path=/proc/7/ns/user slot=1 type=user\n"
                                   "join slot=1 type=user\n"
                                   "join slot=0 type=mount\n"
                                   "unmount path=/b/rootfs id=8\n");
        }
        TEST("none, and the root of one: as they are");
        {
                _cleanup_built_ Built b = BUILD(.facts = root, .all_namespaces = true, .namespaces = "{\"type\":\"ipc\"}",
                                                .mounts = NO_MOUNTS, .process = ",\"terminal\":true");

                assert_contains(&b, "rootfs path=/b/rootfs in-place\n");
                assert_has(&b, "device path=/dev/null type=c");
                assert_has(&b, "console height=0 width=0 uid=0 gid=-1");
                assert_has(&b, "chroot");
        }
        TEST("none, and something to mount: a copy of the rootfs, as in one that is joined");
        {
                const char *const linux_[] = { ",\"rootfsPropagation\":\"slave\"", ",\"maskedPaths\":[\"/x\"]",
                                               ",\"readonlyPaths\":[\"/x\"]" };
                _cleanup_built_ Built b = BUILD(.facts = root, .all_namespaces = true);
                _cleanup_built_ Built readonly = BUILD(.facts = root, .all_namespaces = true, .mounts = NO_MOUNTS,
                                                       .root = ",\"readonly\":true");
                _cleanup_(init_plan_done) InitPlan plan = {};
                _cleanup_text_ Text text = {};

                assert_has(&b, "rootfs path=/b/rootfs propagation=slave,recursive lasting");
                assert_has(&b, "chroot");
                assert_has(&readonly, "rootfs path=/b/rootfs propagation=slave,recursive lasting");
                for (size_t i = 0; i < ELEMENTSOF(linux_); i++) {
                        _cleanup_built_ Built one = BUILD(.facts = root, .all_namespaces = true, .mounts = NO_MOUNTS,
                                                          .linux_ = linux_[i]);

                        assert_has(&one, "rootfs path=/b/rootfs propagation=slave,recursive lasting");
                }
                ASSERT_EQ(init_plan_build_unmount(b.spec, &root, "/b/rootfs", 7, &plan, NULL), 0);
                init_plan_print(&plan, &text);
                ASSERT_STR(text.s, "unmount path=/b/rootfs id=7\n");
        }
        TEST("nothing is mounted on the root of others");
        REFUSE(EINVAL, "mounts[0]: ", .facts = root, .all_namespaces = true, .root = ",\"path\":\"/\"");
        REFUSE(EINVAL, "mounts[0]: ", .facts = root, .all_namespaces = true, .namespaces = MOUNT_NS,
               .root = ",\"path\":\"/\"");
        REFUSE(EINVAL, "root.readonly: ", .facts = root, .all_namespaces = true, .mounts = NO_MOUNTS,
               .root = ",\"path\":\"/\",\"readonly\":true");
        REFUSE(EINVAL, "linux.namespaces: ", .facts = root, .all_namespaces = true, .mounts = NO_MOUNTS,
               .namespaces = "{\"type\":\"user\"}", .linux_ = MAPS);
        REFUSE(EINVAL, "linux.namespaces: ", .facts = root, .all_namespaces = true, .mounts = NO_MOUNTS,
               .namespaces = MOUNT_NS USER, .linux_ = MAPS);
}

static void test_lookups(void) {
        TEST("a path is looked up from the last mount at it or above it");
        {
                _cleanup_built_ Built b = BUILD(
                        .facts = root,
                        .mounts = PROC "," BIND("/a/b") "," BIND("/a") "," BIND("/proc/uptime") ","
                                  MOUNT("/link", "bind", "\"copy-symlink\"") "," MOUNT("/a", "none", "\"remount\""),
                        .linux_ = ",\"readonlyPaths\":[\"/proc/sys\",\"/proc\",\"/proc/bus\"],"
                                  "\"maskedPaths\":[\"/proc/kcore\",\"/proc/sys/fs\",\"/proc/uptime\",\"/a/b/c\",\"/a\","
                                  "\"/procs\",\"/link/x\",\"/\"]");

                assert_has(&b, "mount type=proc source=proc target=/proc extra=no-target-symlink,target-on-proc keep=2");
                assert_has(&b, "bind source=/b/data target=/a/b attrs=ro extra=recursive");
                assert_has(&b, "bind source=/b/data target=/a attrs=ro extra=recursive keep=0");
                assert_has(&b, "remount path=/a mount=0");
                assert_has(&b, "readonly path=/proc/sys rest=sys mount=2");
                assert_has(&b, "readonly path=/proc mount=2 keep=3");
                assert_has(&b, "readonly path=/proc/bus rest=bus mount=3");
                assert_has(&b, "mask path=/proc/kcore rest=kcore mount=3 null=1");
                assert_has(&b, "mask path=/proc/sys/fs rest=sys/fs mount=3 null=1");
                assert_has(&b, "mask path=/proc/uptime rest=uptime mount=3 null=1");
                assert_has(&b, "mask path=/a/b/c rest=b/c mount=0 null=1");
                assert_has(&b, "mask path=/a mount=0 null=1");
                assert_has(&b, "mask path=/procs null=1");
                assert_has(&b, "mask path=/link/x null=1");
                assert_has(&b, "mask path=/ null=1");
                ASSERT_EQ(b.plan.steps[first(&b.plan, INIT_MASK) + 5].mask.mount, 0);
        }
}

static void test_origins(void) {
        _cleanup_built_ Built b = BUILD(.facts = root, .namespaces = JOINED("ipc"), .mounts = PROC "," BIND("/x"),
                                        .linux_ = ",\"maskedPaths\":[\"/a\",\"/b\"]");

        TEST("steps know what they come from");
        ASSERT_STR(b.plan.steps[first(&b.plan, INIT_OPEN_NS)].origin, "linux.namespaces[1].path");
        ASSERT_STR(b.plan.steps[first(&b.plan, INIT_MOUNT)].origin, "mounts[0]");
        ASSERT_STR(b.plan.steps[first(&b.plan, INIT_BIND)].origin, "mounts[1]");
        ASSERT_STR(b.plan.steps[first(&b.plan, INIT_MASK) + 1].origin, "linux.maskedPaths[1]");
        ASSERT_STR(b.plan.steps[first(&b.plan, INIT_ROOTFS)].origin, "root.path");
        ASSERT(!b.plan.steps[first(&b.plan, INIT_EXEC)].origin);
}

int main(void) {
        test_idmaps();
        test_sources();
        test_locked_sources();
        test_id_words();
        test_idmaps_refused();
        test_options();
        test_joined();
        test_ids();
        test_locked_mounts();
        test_propagation_again();
        test_mount_namespaces();
        test_lookups();
        test_origins();
        return 0;
}
