/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "init-build-fixture.h"

static void test_small(void) {
        _cleanup_built_ Built b = BUILD(.facts = root, .namespaces = ",{\"type\":\"pid\"},{\"type\":\"cgroup\"}",
                                        .mounts = PROC "," SYS "," CGROUP "," BIND("/data"),
                                        .request = { .keyring = "_ses.c1.7" });

        TEST("a small container, whole");
        ASSERT_STR(b.text.s,
                   "unshare flags=mount\n"
                   "setsid\n"
                   "keyring name=_ses.c1.7\n"
                   "make-gate\n"
                   "root-propagation flags=slave,recursive\n"
                   "rootfs path=/b/rootfs propagation=slave,recursive\n"
                   "mount type=proc source=proc target=/proc extra=no-target-symlink,target-on-proc options=[]\n"
                   "mount type=sysfs source=sysfs target=/sys attrs=ro extra=no-target-symlink options=[]\n"
                   "bind source=/b/data target=/data attrs=ro extra=recursive\n"
                   "device path=/dev/null type=c major=1 minor=3 mode=0666 uid=0 gid=0\n"
                   "device path=/dev/zero type=c major=1 minor=5 mode=0666 uid=0 gid=0\n"
                   "device path=/dev/full type=c major=1 minor=7 mode=0666 uid=0 gid=0\n"
                   "device path=/dev/random type=c major=1 minor=8 mode=0666 uid=0 gid=0\n"
                   "device path=/dev/urandom type=c major=1 minor=9 mode=0666 uid=0 gid=0\n"
                   "device path=/dev/tty type=c major=5 minor=0 mode=0666 uid=0 gid=0\n"
                   "symlink target=/proc/self/fd path=/dev/fd\n"
                   "symlink target=/proc/self/fd/0 path=/dev/stdin\n"
                   "symlink target=/proc/self/fd/1 path=/dev/stdout\n"
                   "symlink target=/proc/self/fd/2 path=/dev/stderr\n"
                   "symlink target=/proc/kcore path=/dev/core\n"
                   "symlink target=pts/ptmx path=/dev/ptmx\n"
                   "pivot\n"
                   "wait-cgroup\n"
                   "unshare flags=cgroup\n"
                   "cgroup target=/sys/fs/cgroup host=/sys/fs/cgroup attrs=ro own-namespace\n"
                   "lock-mounts\n"
                   "stdio-owner uid=0 gid=-1\n"
                   "umask mask=022\n"
                   "bounding caps=none\n"
                   "user uid=0 gid=0 groups=[]\n"
                   "cwd path=/\n"
                   "find effective=none args=[sh] env=[A=1]\n"
                   "capabilities effective=none permitted=none inheritable=none ambient=none\n"
                   "ready\n"
                   "gate\n"
                   "exec args=[sh] env=[A=1]\n");
        ASSERT_EQ(init_plan_clone_flags(b.spec), CLONE_NEWPID);
}

static void test_namespaces(void) {
        TEST("a new user namespace owns what comes after it");
        {
                _cleanup_built_ Built b = BUILD(
                        .facts = root, .namespaces = USER PID ",{\"type\":\"network\"}", .linux_ = MAPS,
                        .mounts = PROC "," BIND("/a") "," BIND("/b"),
                        .process = ",\"oomScoreAdj\":-5,"
                                   "\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":1,\"hard\":9}]");

                ASSERT(startswith(b.text.s, "# the launcher gives the pipes on 0, 1, 2 to the user\n"
                                            "oom-score-adj value=-5\n"
                                            "raise-rlimit resource=RLIMIT_NOFILE hard=9\n"
                                            "open-tree path=/b/data slot=0 extra=recursive,locked attrs=ro\n"
                                            "open-tree path=/b/data slot=1 extra=recursive,locked attrs=ro\n"
                                            "lock-sources\n"
                                            NODES(2, 3, 4, 5, 6, 7, 1000)
                                            "enter-rootfs path=/b/rootfs\n"
                                            "userns\n"
                                            "unshare flags=mount,network,pid\n"
                                            "fork\n"
                                            "setsid\n"));
                ASSERT_EQ(init_plan_clone_flags(b.spec), 0);
                assert_has(&b, "bind target=/b slot=1 propagation=slave,recursive");
                assert_has(&b, "loopback");
                assert_has(&b, "device-bind path=/dev/null slot=2 type=c major=1 minor=3");
                ASSERT_EQ(count(&b.plan, INIT_DEVICE), 0);
        }
        TEST("joined namespaces: root joins the user namespace last, others first; the pid namespace is entered in the end");
        {
                _cleanup_built_ Built b = BUILD(.facts = root,
                                                .namespaces = JOINED("user") JOINED("network") JOINED("pid"));

                ASSERT(startswith(b.text.s, "# the launcher gives the pipes on 0, 1, 2 to the user\n"
                                            "open-ns path=/proc/7/ns/user slot=0 type=user\n"
                                            "open-ns path=/proc/7/ns/network slot=1 type=network\n"
                                            "open-ns path=/proc/7/ns/pid slot=2 type=pid\n"
                                            NODES(3, 4, 5, 6, 7, 8, 0)
                                            "enter-rootfs path=/b/rootfs\n"
                                            "join slot=1 type=network\n"
                                            "open-fs type=proc source=proc slot=9 pid-namespace=2 options=[]\n"
                                            "join slot=2 type=pid\n"
                                            "join slot=0 type=user\n"
                                            "become-root\n"
                                            "unshare flags=mount\n"
                                            "setsid\n"));
                ASSERT_EQ(count(&b.plan, INIT_LOOPBACK), 0);
                ASSERT_EQ(count(&b.plan, INIT_FORK), 0);
                assert_contains(&b, "capabilities effective=none permitted=none inheritable=none ambient=none\n"
                                    "fork-inside\nsetsid\nready\n");
        }
        TEST("or the power to is gone by then");
        {
                REFUSE(EOPNOTSUPP, "hooks.createContainer", .facts = root, .namespaces = USER JOINED("pid"), .linux_ = MAPS,
                       .top = ",\"hooks\":{" HOOK("createContainer") "}");
        }
        TEST("or in a mount namespace of others, where its name would be that of their file");
        {
                REFUSE(EOPNOTSUPP, "hooks.createContainer", .facts = root, .all_namespaces = true,
                       .namespaces = "{\"type\":\"mount\",\"path\":\"/proc/7/ns/mnt\"}",
                       .top = ",\"hooks\":{" HOOK("createContainer") "}");
        }
        TEST("a pid namespace is joined after the last that forks, and after mounting what shows it");
        {
                _cleanup_built_ Built b = BUILD(
                        .facts = root, .namespaces = JOINED("pid"),
                        .process = ",\"terminal\":true,\"scheduler\":{\"policy\":\"SCHED_BATCH\"},\"rlimits\":["
                                   "{\"type\":\"RLIMIT_NPROC\",\"soft\":5,\"hard\":6},"
                                   "{\"type\":\"RLIMIT_CORE\",\"soft\":7,\"hard\":8}]",
                        .top = ",\"hooks\":{" HOOK("createContainer") "}");

                ASSERT_ORDER(&b, INIT_MOUNT, INIT_HOOK, INIT_PIVOT, INIT_JOIN, INIT_CAPABILITIES, INIT_FORK_INSIDE);
                assert_has(&b, "raise-rlimit resource=RLIMIT_NPROC hard=6");
                assert_has(&b, "mount type=proc source=proc target=/proc extra=no-target-symlink,target-on-proc "
                               "pid-namespace=0 options=[]");
                assert_contains(&b, "rlimit resource=RLIMIT_CORE soft=7 hard=8\ncapabilities ");
                assert_contains(&b, "fork-inside\nsetsid\ncontrol-terminal\nrlimit resource=RLIMIT_NPROC soft=5 hard=6\nready\n");
                ASSERT(b.plan.launcher_schedules);
        }
        {
                _cleanup_built_ Built b = BUILD(.facts = { .rootless = true },
                                                .namespaces = JOINED("network") JOINED("user"));

                assert_contains(&b, "join slot=1 type=user\nbecome-root\njoin slot=0 type=network\n");
        }
        TEST("an ordinary user's systemd takes the process before it becomes somebody else");
        {
                static const HostFacts user = { .rootless = true, .uid = 1000, .gid = 1000 };
                static const HostFacts other = { .rootless = true, .uid = 1001, .gid = 1001 };
                _cleanup_built_ Built own = BUILD(.facts = user, .namespaces = USER PID, .linux_ = MAPS);
                _cleanup_built_ Built foreign = BUILD(.facts = other, .namespaces = USER PID, .linux_ = MAPS);

                ASSERT(startswith(own.text.s, "userns\nunshare flags=mount,pid\nfork\n"));
                ASSERT(init_plan_comes_to(&own.plan, INIT_FORK, INIT_WAIT_CGROUP));
                ASSERT(startswith(foreign.text.s, "wait-cgroup\nuserns\nunshare flags=mount,pid\nfork\n"));
                ASSERT(!init_plan_comes_to(&foreign.plan, INIT_FORK, INIT_WAIT_CGROUP));
                ASSERT_EQ(count(&foreign.plan, INIT_WAIT_CGROUP), 1);
        }
        TEST("an ordinary user needs a user namespace");
        {
                REFUSE(EOPNOTSUPP, "linux.namespaces", .facts = { .rootless = true });
        }
        TEST("a time namespace is entered by a child");
        {
                _cleanup_built_ Built b = BUILD(
                        .facts = root, .namespaces = PID ",{\"type\":\"time\"}",
                        .linux_ = ",\"timeOffsets\":{\"boottime\":{\"secs\":-3,\"nanosecs\":4}}");

                ASSERT(startswith(b.text.s, "unshare flags=mount,pid,time\n"
                                            "time-offsets boottime=-3 boottime-ns=4 monotonic=0 monotonic-ns=0\n"
                                            "fork\n"));
                ASSERT_EQ(init_plan_clone_flags(b.spec), 0);
        }
        TEST("names");
        {
                _cleanup_built_ Built b = BUILD(.facts = root, .namespaces = ",{\"type\":\"uts\"}",
                                                .top = ",\"hostname\":\"h\",\"domainname\":\"d\"");

                assert_has(&b, "hostname name=h");
                assert_has(&b, "domainname name=d");
        }
        TEST("without a name for a keyring the caller's is kept");
        {
                _cleanup_built_ Built b = BUILD(.facts = root);

                ASSERT_EQ(count(&b.plan, INIT_KEYRING), 0);
        }
}

static void test_cgroup(void) {
        TEST("the cgroup mount is postponed only where nobody can tell");
#define CGROUP_NS ",{\"type\":\"cgroup\"}"
        static const struct {
                const char *namespaces, *mounts, *linux_, *top;
                InitOp before, after;
        } cases[] = {
                { CGROUP_NS, SYS "," CGROUP "," DEV, NULL, NULL, INIT_PIVOT, INIT_USER },
                { CGROUP_NS, SYS "," CGROUP "," DEV, ",\"maskedPaths\":[\"/proc/kcore\"]", NULL, INIT_MASK,
                  INIT_USER },
                { CGROUP_NS, SYS "," CGROUP "," DEV, ",\"maskedPaths\":[\"/sys/fs/cgroup/x\"]", NULL, INIT_SYMLINK,
                  INIT_PIVOT },
                { CGROUP_NS, SYS "," CGROUP "," DEV, ",\"readonlyPaths\":[\"/sys/./fs\"]", NULL, INIT_SYMLINK,
                  INIT_PIVOT },
                { CGROUP_NS, SYS "," CGROUP "," DEV, NULL, ",\"hooks\":{" HOOK("createContainer") "}", INIT_SYMLINK,
                  INIT_HOOK },
                { CGROUP_NS, SYS "," CGROUP "," DEV, NULL, ",\"hooks\":{" HOOK("prestart") "}", INIT_SYMLINK,
                  INIT_RUNTIME_HOOKS },
                { "", SYS "," CGROUP "," DEV, NULL, NULL, INIT_SYMLINK, INIT_PIVOT },
                { CGROUP_NS, CGROUP "," DEV, NULL, NULL, INIT_SYMLINK, INIT_PIVOT },
                { CGROUP_NS, SYS "," CGROUP "," BIND("/sys/fs/cgroup/a"), NULL, NULL, INIT_MOUNT, INIT_BIND },
                { CGROUP_NS, SYS "," CGROUP "," BIND("/sys/fs"), NULL, NULL, INIT_MOUNT, INIT_BIND },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_built_ Built b = BUILD(.facts = root, .namespaces = cases[i].namespaces,
                                                .mounts = cases[i].mounts, .linux_ = cases[i].linux_,
                                                .top = cases[i].top);

                ASSERT_EQ(count(&b.plan, INIT_CGROUP), 1);
                ASSERT_ORDER(&b, cases[i].before, INIT_CGROUP, cases[i].after);
        }
        TEST("without a cgroup manager nothing waits");
        {
                HostFacts facts = root;

                facts.cgroup_disabled = true;
                Built b = BUILD(.facts = facts, .namespaces = CGROUP_NS, .mounts = SYS "," CGROUP,
                                .top = ",\"hooks\":{" HOOK("prestart") "}");
                built_done(&b);
        }
        TEST("files of the image are copied once the list of devices is in force, as they may become such");
        {
                _cleanup_built_ Built b = BUILD(.facts = root, .mounts = MOUNT("/a", "tmpfs", "\"tmpcopyup\""));

                ASSERT_ORDER(&b, INIT_ROOTFS, INIT_WAIT_CGROUP, INIT_MOUNT);
        }
        TEST("without mount and namespace the wait is the last thing before a file of the image is opened");
        {
                _cleanup_built_ Built b = BUILD(.facts = root);

                ASSERT_EQ(first(&b.plan, INIT_WAIT_CGROUP) + 1, first(&b.plan, INIT_FIND));
        }
}

static void test_mounts(void) {
        TEST("what is read-only and still written to becomes so later");
        {
                _cleanup_built_ Built b = BUILD(
                        .facts = root,
                        .mounts = MOUNT("/dev", "tmpfs", "\"ro\",\"mode=755\"") ","
                                  MOUNT("/run", "tmpfs", "\"rro\"") ","
                                  MOUNT("/data", "ext4", "\"ro\",\"sync\"") "," BIND("/x"),
                        .top = ",\"annotations\":{}");

                assert_has(&b, "mount type=tmpfs source=s target=/dev keep=0 options=[mode=755]");
                assert_has(&b, "mount type=tmpfs source=s target=/run extra=target-mode");
                assert_has(&b, "mount type=ext4 source=s target=/data attrs=ro super=ro,sync");
                assert_has(&b, "remount path=/dev attrs=ro mount=0");
                assert_has(&b, "remount path=/run attrs=ro mount=1");
                ASSERT_ORDER(&b, INIT_PIVOT, INIT_REMOUNT);
        }
        TEST("a bound /dev is left as it is");
        {
                _cleanup_built_ Built b = BUILD(
                        .facts = root, .mounts = PROC "," BIND("/x/../dev/"),
                        .linux_ = ",\"devices\":[{\"path\":\"/dev/fuse\",\"type\":\"c\",\"major\":10,\"minor\":229},"
                                  "{\"path\":\"/srv/fuse\",\"type\":\"c\",\"major\":10,\"minor\":229,"
                                  "\"fileMode\":384}]");

                ASSERT_EQ(count(&b.plan, INIT_DEVICE), 1);
                ASSERT_EQ(count(&b.plan, INIT_SYMLINK), 0);
                assert_has(&b, "device path=/srv/fuse type=c major=10 minor=229 mode=0600 uid=0 gid=0");
        }
        TEST("listed devices and mounts replace default devices");
        {
                _cleanup_built_ Built b = BUILD(
                        .facts = root, .mounts = PROC "," BIND("/dev/random"),
                        .linux_ = ",\"devices\":[{\"path\":\"/dev//null\",\"type\":\"c\",\"major\":1,\"minor\":3,"
                                  "\"uid\":7},"
                                  "{\"path\":\"/dev/ptmx\",\"type\":\"c\",\"major\":5,\"minor\":2}]");

                ASSERT_EQ(count(&b.plan, INIT_DEVICE), 5);
                assert_has(&b, "device path=/dev/null type=c major=1 minor=3 mode=0666 uid=7 gid=0");
        }
        TEST("files are masked with a null device of the container's own");
        {
                static const struct {
                        const char *namespaces, *maps, *mounts, *has;
                } rows[] = {
                        { "", "", PROC, "device path=/dev/null type=c major=1 minor=3 mode=0666 uid=0 gid=0 keep=0" },
                        { "", "", PROC "," BIND("/dev"),
                          "open-node slot=0 type=c major=1 minor=3 mode=0666 uid=0 gid=0 options=[mode=711]" },
                        { "", "", PROC "," BIND("/dev/null"), "clone-nodes first=0 number=1" },
                        { USER, MAPS, PROC,
                          "open-node slot=6 type=c major=1 minor=3 mode=0666 uid=1000 gid=1000 options=[mode=711]" },
                        { USER, MAPS, PROC, "clone-nodes first=0 number=7" },
                };

                for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                        _cleanup_free_ char *properties = xasprintf("%s,\"maskedPaths\":[\"/proc/kcore\"]", rows[i].maps);
                        _cleanup_built_ Built b = BUILD(.facts = root, .namespaces = rows[i].namespaces, .mounts = rows[i].mounts,
                                                        .linux_ = properties);

                        assert_has(&b, rows[i].has);
                }
        }
        TEST("user namespaces: no tty group, no sysfs without a network of its own, FIFOs are made");
        {
                _cleanup_built_ Built b = BUILD(
                        .facts = { .own_userns = true, .privileged = true }, .namespaces = USER, .linux_ = MAPS
                                ",\"devices\":[{\"path\":\"/f\",\"type\":\"p\"}]",
                        .mounts = MOUNT("/dev/pts", "devpts", "\"gid=15\",\"mode=0620\"") ","
                                  MOUNT("/p", "devpts", "\"gid=5\"") "," SYS "," MOUNT("/s", "sysfs"));

                assert_has(&b, "mount type=devpts source=s target=/dev/pts options=[mode=0620]");
                assert_has(&b, "mount type=devpts source=s target=/p options=[gid=5]");
                assert_has(&b, "mount type=sysfs source=sysfs target=/sys attrs=ro "
                               "extra=host-fallback,no-target-symlink");
                assert_has(&b, "mount type=sysfs source=s target=/s extra=no-target-symlink");
                assert_has(&b, "device path=/f type=p major=0 minor=0 mode=0666 uid=0 gid=0");
        }
        TEST("user namespaces: what the caller's namespaces show, the host has mounted; not what others show");
        {
                static const HostFacts user = { .rootless = true, .uid = 1000, .gid = 1000 };
                _cleanup_built_ Built b = BUILD(.facts = user, .namespaces = USER, .linux_ = MAPS,
                                                .mounts = PROC "," MOUNT("/q", "mqueue", "\"ro\""));
                _cleanup_built_ Built joined = BUILD(.facts = user, .namespaces = USER JOINED("pid") JOINED("ipc"),
                                                     .linux_ = MAPS, .mounts = PROC "," MOUNT("/q", "mqueue", "\"ro\""));

                assert_has(&b, "mount type=proc source=proc target=/proc "
                               "extra=host-fallback,no-target-symlink,target-on-proc options=[]");
                assert_has(&b, "mount type=mqueue source=s target=/q attrs=ro extra=host-fallback options=[]");
                assert_has(&joined, "mount type=proc source=proc target=/proc extra=no-target-symlink,target-on-proc "
                                    "pid-namespace=0 options=[]");
                assert_has(&joined, "mount type=mqueue source=s target=/q attrs=ro options=[]");
        }
        TEST("labels");
        {
                HostFacts facts = root;

                facts.selinux = true;
                _cleanup_built_ Built b = BUILD(.facts = facts, .linux_ = ",\"mountLabel\":\"a:b:c:s0:c1,c2\"",
                                                .mounts = PROC "," BIND("/b") ","
                                                          MOUNT("/t", "tmpfs", "\"mode=1777\""));

                assert_has(&b, "mount type=tmpfs source=s target=/t options=[mode=1777,context=a:b:c:s0:c1\\x2cc2]");
                assert_has(&b, "mount type=proc source=proc target=/proc "
                               "extra=no-target-symlink,target-on-proc options=[]");
        }
        {
                _cleanup_built_ Built b = BUILD(.facts = root, .linux_ = ",\"mountLabel\":\"a:b:c:s0\"",
                                                .mounts = MOUNT("/t", "tmpfs", "\"mode=1777\""));

                assert_has(&b, "mount type=tmpfs source=s target=/t options=[mode=1777]");
                ASSERT_EQ(b.plan.warnings.n, 1);
        }
}

static void test_root(void) {
        static const struct {
                const char *value, *before, *rootfs, *after;
        } cases[] = {
                { "shared", "root-propagation flags=shared", "slave,recursive", "share-root flags=shared" },
                { "rshared", "root-propagation flags=shared", "slave,recursive", "share-root flags=shared,recursive" },
                { "rslave", "root-propagation flags=slave,recursive", "slave,recursive", "pivot" },
                { "private", "root-propagation flags=slave,recursive", "slave,recursive", "share-root flags=private" },
                { "rprivate", "root-propagation flags=private,recursive", "private,recursive", "pivot" },
                { "unbindable", "root-propagation flags=slave,recursive", "slave,recursive", "share-root flags=unbindable" },
                { "runbindable", "root-propagation flags=private,recursive", "private,recursive",
                  "share-root flags=unbindable,recursive" },
        };

        TEST("propagation of the root");
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char json[64], rootfs[96];

                snprintf(json, sizeof(json), ",\"rootfsPropagation\":\"%s\"", cases[i].value);
                snprintf(rootfs, sizeof(rootfs), "rootfs path=/b/rootfs propagation=%s", cases[i].rootfs);
                _cleanup_built_ Built b = BUILD(.facts = root, .linux_ = json);

                assert_has(&b, cases[i].before);
                assert_has(&b, rootfs);
                assert_has(&b, cases[i].after);
        }
        TEST("paths, kernel parameters, no pivot");
        {
                _cleanup_built_ Built b = BUILD(
                        .facts = root, .namespaces = ",{\"type\":\"network\"}", .request = { .no_pivot = true },
                        .cwd = "/srv",
                        .linux_ = ",\"maskedPaths\":[\"/proc/kcore\"],\"readonlyPaths\":[\"/proc//sys\"],"
                                  "\"sysctl\":{\"net.ipv4.ip_forward\":\"1\"}");

                assert_has(&b, "move-root");
                assert_has(&b, "mask path=/proc/kcore");
                assert_has(&b, "readonly path=/proc/sys");
                assert_has(&b, "sysctl path=net/ipv4/ip_forward value=1");
                assert_has(&b, "mkdir path=/srv");
                ASSERT_ORDER(&b, INIT_MOVE_ROOT, INIT_SYSCTL, INIT_READONLY, INIT_MASK);
        }
}

/* Who walks the path of the rootfs. */
static void test_entered(void) {
        TEST("root of the host, for root of a user namespace, that is new or joined");
        {
                _cleanup_built_ Built new = BUILD(.facts = root, .namespaces = USER, .linux_ = MAPS ",\"rootfsPropagation\":\"rshared\"",
                                                  .top = ",\"hooks\":{" HOOK("createContainer") "," HOOK("startContainer") "}");
                _cleanup_built_ Built bare = BUILD(.facts = root, .all_namespaces = true, .mounts = " ",
                                                   .namespaces = "{\"type\":\"user\",\"path\":\"/proc/7/ns/user\"}");

                ASSERT_ORDER(&new, INIT_ENTER_ROOTFS, INIT_USERNS, INIT_UNSHARE, INIT_ROOTFS);
                assert_has(&new, "enter-rootfs path=/b/rootfs");
                assert_has(&new, "root-propagation flags=slave,recursive opened=shared");
                assert_has(&new, "share-root flags=shared,recursive");
                ASSERT_EQ(new.plan.steps[first(&new.plan, INIT_HOOK)].hook.in_rootfs, 1);
                ASSERT_EQ(new.plan.steps[new.plan.n_steps - 2].op, INIT_HOOK);
                ASSERT_EQ(new.plan.steps[new.plan.n_steps - 2].hook.in_rootfs, 0);
                ASSERT_ORDER(&bare, INIT_ENTER_ROOTFS, INIT_JOIN, INIT_BECOME_ROOT, INIT_ROOTFS);
                ASSERT_EQ(count(&bare.plan, INIT_ENTER_ROOTFS), 1);
        }
        TEST("nobody in advance, where root of the host goes on, is not the caller, or others say what is at the path");
        {
                _cleanup_built_ Built plain = BUILD(.facts = root, .top = ",\"hooks\":{" HOOK("createContainer") "}");
                _cleanup_built_ Built user = BUILD(.facts = { .rootless = true }, .namespaces = USER, .linux_ = MAPS
                                                   ",\"rootfsPropagation\":\"shared\"");
                _cleanup_built_ Built joined = BUILD(.facts = root, .all_namespaces = true,
                                                     .namespaces = "{\"type\":\"mount\",\"path\":\"/proc/7/ns/mnt\"}" JOINED("user"));

                ASSERT_EQ(count(&plain.plan, INIT_ENTER_ROOTFS), 0);
                ASSERT_EQ(plain.plan.steps[first(&plain.plan, INIT_HOOK)].hook.in_rootfs, 0);
                ASSERT_EQ(count(&user.plan, INIT_ENTER_ROOTFS), 0);
                assert_has(&user, "root-propagation flags=shared");
                ASSERT_EQ(count(&joined.plan, INIT_ENTER_ROOTFS), 0);
        }
}

static void test_refused(void) {
        TEST("mounts on /proc: one rule");
        static const char *const bad[] = { "/proc/self", "/proc/self/attr", "/proc/sys", "/x/../proc/sys/kernel",
                                           "/proc/cpuinfo/x", "//proc/./acpi" };
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                for (unsigned bind = 0; bind < 2; bind++) {
                        char json[256];

                        snprintf(json, sizeof(json),
                                 "{\"destination\":\"%s\",\"type\":\"%s\",\"source\":\"/s\"}", bad[i],
                                 bind ? "bind" : "tmpfs");
                        REFUSE(EINVAL, "mounts[0].destination: ", .facts = root, .mounts = json);
                }
        REFUSE(EINVAL, "mounts[1].destination: ", .facts = root, .mounts = PROC "," MOUNT("/proc", "tmpfs"));
        REFUSE(EINVAL, "mounts[1].destination: ", .facts = root, .mounts = PROC "," MOUNT("/p/../proc/", "cgroup"));
        {
                _cleanup_built_ Built b = BUILD(.facts = root, .mounts = BIND("/proc") "," BIND("/proc/uptime"));

                assert_has(&b, "bind source=/b/data target=/proc attrs=ro extra=recursive,target-on-proc,source-proc");
                assert_has(&b, "bind source=/b/data target=/proc/uptime attrs=ro extra=recursive,target-on-proc");
        }
        TEST("what makes no sense or cannot be done yet");
        REFUSE(EINVAL, "mounts[0].destination: ", .facts = root, .mounts = MOUNT("/..", "none", "\"remount\", \"ro\""));
        REFUSE(EINVAL, "mounts[0].destination: ", .facts = root, .mounts = MOUNT("/", "cgroup"));
        REFUSE(EINVAL, "mounts[0].destination: ", .facts = root, .mounts = BIND("/"), .all_namespaces = true,
               .namespaces = "{\"type\":\"pid\"}");
        REFUSE(EINVAL, "mounts[0].type: ", .facts = root, .mounts = MOUNT("/a", "", "\"ro\""));
        REFUSE(EINVAL, "mounts[0].source: ", .facts = root, .mounts = "{\"destination\":\"/a\",\"type\":\"bind\"}");
        REFUSE(EOPNOTSUPP, "process.apparmorProfile: ", .facts = root, .process = ",\"apparmorProfile\":\"p\"");
        REFUSE(EOPNOTSUPP, "process.selinuxLabel: ", .facts = root, .process = ",\"selinuxLabel\":\"p\"");
        REFUSE(EINVAL, "process.scheduler.flags: ", .facts = root,
               .process = ",\"scheduler\":{\"policy\":\"SCHED_DEADLINE\",\"runtime\":1,\"deadline\":2}",
               .top = ",\"hooks\":{" HOOK("startContainer") "}");
        REFUSE(EINVAL, "process.args: ", .facts = root, .no_process = "\"process\":{\"cwd\":\"/\"},",
               .request = { .start_now = true });
        TEST("a profile that is none needs no AppArmor");
        Built b = BUILD(.facts = root, .process = ",\"apparmorProfile\":\"unconfined\"");
        ASSERT_EQ(count(&b.plan, INIT_APPARMOR), 0);
        built_done(&b);
}

int main(void) {
        test_small();
        test_namespaces();
        test_cgroup();
        test_mounts();
        test_root();
        test_entered();
        test_refused();
        return 0;
}
