/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <linux/mount.h>
#include <sched.h>

#include "plan/init-build.h"
#include "test.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

static const uint8_t filter[8] = { 6, 0, 0, 0, 0, 0, 0xff, 0x7f };

/* config.json of which only the parts that matter to a test are given. */
typedef struct Config {
        const char *process;     /* more properties of process, each with a comma before it */
        const char *no_process;  /* instead of "process": {…} */
        const char *namespaces;  /* more of them */
        const char *mounts;      /* all of them */
        const char *linux_;      /* more properties of linux */
        const char *top;         /* more properties at the top */
        HostFacts facts;
        Request request;
} Config;

typedef struct Built {
        Spec *spec;
        InitPlan plan;
        Text text;
        Error error;
        int r;
} Built;

static void built_done(Built *b) {
        spec_free(b->spec);
        init_plan_done(&b->plan);
        text_done(&b->text);
        error_done(&b->error);
}
#define _cleanup_built_ _cleanup_(built_done)

#define PROC "{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"}"
#define SYS "{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\",\"options\":[\"ro\"]}"
#define CGROUP "{\"destination\":\"/sys/fs/cgroup\",\"type\":\"cgroup\",\"source\":\"cgroup\",\"options\":[\"ro\"]}"
#define DEV "{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"nosuid\",\"mode=755\"]}"
#define BIND(to) "{\"destination\":\"" to "\",\"type\":\"bind\",\"source\":\"data\",\"options\":[\"rbind\",\"ro\"]}"
#define HOOK(kind) "\"" kind "\":[{\"path\":\"/bin/hook\"}]"
#define MAPS                                                                  \
        ",\"uidMappings\":[{\"containerID\":0,\"hostID\":1000,\"size\":10}]," \
        "\"gidMappings\":[{\"containerID\":0,\"hostID\":1000,\"size\":10}]"

static Spec *parse(const Config *c) {
        _cleanup_error_ Error error = {};
        _cleanup_text_ Text json = {};
        Spec *spec;

        text_add(&json, "{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"rootfs\"},\"mounts\":[");
        text_addf(&json, "%s],", c->mounts ?: PROC "," DEV);
        text_addf(&json, c->no_process ? "%s" : "\"process\":{\"cwd\":\"/\",\"args\":[\"sh\"],\"env\":[\"A=1\"]%s},",
                  c->no_process ?: c->process ?: "");
        text_addf(&json, "\"linux\":{\"namespaces\":[{\"type\":\"mount\"}%s]%s}%s}", c->namespaces ?: "",
                  c->linux_ ?: "", c->top ?: "");
        if (spec_parse(json.s, json.n, &spec, &error) < 0)
                FAIL_AT("%s\n%s", error.message, json.s);
        return spec;
}

static int first(const InitPlan *plan, InitOp op) {
        for (size_t i = 0; i < plan->n_steps; i++)
                if (plan->steps[i].op == op)
                        return (int) i;
        return -1;
}

static unsigned count(const InitPlan *plan, InitOp op) {
        unsigned n = 0;

        for (size_t i = 0; i < plan->n_steps; i++)
                n += plan->steps[i].op == op;
        return n;
}

/* The steps are in this order, those that are there at all: every one of one group before every one of the next. */
static void assert_before(const Built *b, InitOp a, InitOp z) {
        int last_a = -1, first_z = first(&b->plan, z);

        for (size_t i = 0; i < b->plan.n_steps; i++)
                if (b->plan.steps[i].op == a)
                        last_a = (int) i;
        if (last_a >= 0 && first_z >= 0 && last_a > first_z)
                FAIL_AT("%s comes after %s:\n%s", init_op_name(a), init_op_name(z), b->text.s);
}

static void assert_order(const Built *b, const InitOp *ops, size_t n) {
        for (size_t i = 0; i < n; i++)
                for (size_t k = i + 1; k < n; k++)
                        assert_before(b, ops[i], ops[k]);
}
#define ASSERT_ORDER(b, ...) \
        assert_order(b, (const InitOp[]){ __VA_ARGS__ }, sizeof((const InitOp[]){ __VA_ARGS__ }) / sizeof(InitOp))

static int step_unsharing(const InitPlan *plan, uint64_t flag) {
        for (size_t i = 0; i < plan->n_steps; i++)
                if (plan->steps[i].op == INIT_UNSHARE && (plan->steps[i].num[0] & flag))
                        return (int) i;
        return -1;
}

static void check_cgroup(const Built *b, const Config *c) {
        int wait = first(&b->plan, INIT_WAIT_CGROUP), cgroup_ns = step_unsharing(&b->plan, CLONE_NEWCGROUP);

        ASSERT_EQ(count(&b->plan, INIT_WAIT_CGROUP), c->facts.cgroup_disabled ? 0 : 1);
        ASSERT_ORDER(b, INIT_WAIT_CGROUP, INIT_CGROUP);
        ASSERT_ORDER(b, INIT_WAIT_CGROUP, INIT_RUNTIME_HOOKS, INIT_HOOK, INIT_READY);
        ASSERT(cgroup_ns < 0 || cgroup_ns > wait);
        for (size_t i = 0; i < b->plan.n_steps; i++) {
                const InitStep *s = &b->plan.steps[i];

                if (s->op != INIT_CGROUP)
                        continue;
                ASSERT(cgroup_ns < (int) i);
                ASSERT(s->num[1] == 1 || (int) i < first(&b->plan, INIT_PIVOT));
        }
}

static void check_process(const Built *b, const Config *c) {
        const InitPlan *p = &b->plan;
        int seccomp = first(p, INIT_SECCOMP);

        ASSERT_ORDER(b, INIT_STDIO_OWNER, INIT_APPARMOR, INIT_SELINUX, INIT_BOUNDING, INIT_USER, INIT_CWD, INIT_RLIMIT,
                     INIT_CAPABILITIES, INIT_NO_NEW_PRIVS, INIT_FIND, INIT_READY, INIT_GATE, INIT_EXEC);
        ASSERT_ORDER(b, INIT_SCHEDULER, INIT_USER);
        ASSERT_ORDER(b, INIT_IO_PRIORITY, INIT_USER);
        ASSERT_ORDER(b, INIT_MEMORY_POLICY, INIT_USER);
        ASSERT_ORDER(b, INIT_RLIMIT, INIT_SECCOMP);
        ASSERT_EQ(seccomp >= 0, c->request.seccomp != NULL);
        if (seccomp >= 0 && first(p, INIT_NO_NEW_PRIVS) >= 0)
                ASSERT_ORDER(b, INIT_NO_NEW_PRIVS, INIT_SECCOMP);
        else if (seccomp >= 0)
                ASSERT_EQ(p->steps[seccomp + 1].op, INIT_CAPABILITIES);
        ASSERT_EQ(p->steps[p->n_steps - 1].op, first(p, INIT_FIND) >= 0 ? INIT_EXEC : INIT_GATE);
        ASSERT_EQ(count(p, INIT_GATE), c->request.start_now ? 0 : 1);
}

/* What holds for every plan, whatever the configuration. */
static void check_invariants(const Built *b, const Config *c) {
        static const InitOp host[] = { INIT_OPEN_NS, INIT_OPEN_TREE, INIT_OOM_SCORE_ADJ, INIT_RAISE_RLIMIT };
        static const InitOp namespaces[] = { INIT_JOIN, INIT_USERNS, INIT_UNSHARE, INIT_FORK, INIT_SETSID };
        static const InitOp mounts[] = { INIT_BIND, INIT_MOUNT, INIT_DEVICE, INIT_DEVICE_BIND, INIT_SYMLINK };
        static const InitOp last[] = { INIT_SYSCTL, INIT_READONLY, INIT_MASK, INIT_REMOUNT_ROOT, INIT_USER };
        _cleanup_(init_plan_done) InitPlan back = {};
        _cleanup_text_ Text bytes = {};

        for (size_t i = 0; i < ELEMENTSOF(host); i++)
                for (size_t k = 0; k < ELEMENTSOF(namespaces); k++)
                        assert_before(b, host[i], namespaces[k]);
        ASSERT(step_unsharing(&b->plan, CLONE_NEWNS) < first(&b->plan, INIT_ROOT_PROPAGATION));
        ASSERT_ORDER(b, INIT_USERNS, INIT_UNSHARE, INIT_TIME_OFFSETS, INIT_FORK);
        for (size_t i = 0; i < ELEMENTSOF(mounts); i++) {
                ASSERT_ORDER(b, INIT_ROOT_PROPAGATION, INIT_ROOTFS, mounts[i]);
                ASSERT_ORDER(b, mounts[i], INIT_CONSOLE, INIT_RUNTIME_HOOKS, INIT_PIVOT);
        }
        for (size_t i = 0; i < ELEMENTSOF(last); i++)
                ASSERT_ORDER(b, INIT_PIVOT, last[i]);
        ASSERT_ORDER(b, INIT_SHARE_ROOT, INIT_MKDIR, INIT_REMOUNT_ROOT, INIT_SYSCTL, INIT_READONLY, INIT_MASK, INIT_USER);
        check_cgroup(b, c);
        check_process(b, c);
        init_plan_encode(&b->plan, &bytes);
        ASSERT_EQ(init_plan_decode(bytes.s, bytes.n, &back), 0);
        ASSERT_EQ(back.n_steps, b->plan.n_steps);
}

static Built build_any(const Config *c) {
        Built b = { .spec = parse(c) };
        Request request = c->request;

        request.id = "c1";
        request.bundle = "/b";
        b.r = init_plan_build(b.spec, &request, &c->facts, &b.plan, &b.error);
        init_plan_print(&b.plan, &b.text);
        return b;
}

static Built build(const Config *c) {
        Built b = build_any(c);

        if (b.r < 0)
                FAIL_AT("%s", b.error.message);
        check_invariants(&b, c);
        return b;
}
#define BUILD(...) build(&(Config){ __VA_ARGS__ })

static void assert_has(const Built *b, const char *line) {
        size_t n = strlen(line);

        for (const char *p = b->text.s; *p; p = strchr(p, '\n') + 1)
                if (strncmp(p, line, n) == 0 && (p[n] == '\n' || p[n] == ' '))
                        return;
        FAIL_AT("no line \"%s\" in:\n%s", line, b->text.s);
}

static void refuse(const Config *c, int code, const char *beginning) {
        _cleanup_built_ Built b = build_any(c);

        ASSERT_EQ(b.r, -code);
        if (!startswith(b.error.message, beginning))
                FAIL_AT("\"%s\" does not begin with \"%s\"", b.error.message, beginning);
}
#define REFUSE(code, beginning, ...) refuse(&(Config){ __VA_ARGS__ }, code, beginning)

static const HostFacts root = { .privileged = true, .cgroup_mount = "/sys/fs/cgroup" };

static void test_small(void) {
        _cleanup_built_ Built b = BUILD(.facts = root, .namespaces = ",{\"type\":\"pid\"},{\"type\":\"cgroup\"}",
                                        .mounts = PROC "," SYS "," CGROUP "," BIND("/data"));

        TEST("a small container, whole");
        ASSERT_STR(b.text.s,
                   "unshare flags=mount\n"
                   "setsid\n"
                   "keyring name=_ses.c1\n"
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
                   "stdio-owner uid=0 gid=-1\n"
                   "umask mask=022\n"
                   "bounding caps=none\n"
                   "user uid=0 gid=0 groups=[]\n"
                   "cwd path=/\n"
                   "capabilities effective=none permitted=none inheritable=none ambient=none\n"
                   "find args=[sh] env=[A=1]\n"
                   "ready\n"
                   "gate\n"
                   "exec args=[sh] env=[A=1]\n");
        ASSERT_EQ(init_plan_clone_flags(b.spec), CLONE_NEWPID);
}

static void test_namespaces(void) {
#define USER ",{\"type\":\"user\"}"
#define PID ",{\"type\":\"pid\"}"
#define JOINED(type) ",{\"type\":\"" type "\",\"path\":\"/proc/7/ns/" type "\"}"
        TEST("a new user namespace owns what comes after it");
        {
                _cleanup_built_ Built b = BUILD(
                        .facts = root, .namespaces = USER PID ",{\"type\":\"network\"}", .linux_ = MAPS,
                        .mounts = PROC "," BIND("/a") "," BIND("/b"),
                        .process = ",\"oomScoreAdj\":-5,\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":1,\"hard\":9}]");

                ASSERT(startswith(b.text.s, "oom-score-adj value=-5\n"
                                            "raise-rlimit resource=nofile hard=9\n"
                                            "open-tree path=/b/data slot=0 recursive\n"
                                            "open-tree path=/b/data slot=1 recursive\n"
                                            "userns\n"
                                            "unshare flags=mount,pid,network\n"
                                            "fork\n"
                                            "setsid\n"));
                ASSERT_EQ(init_plan_clone_flags(b.spec), 0);
                assert_has(&b, "bind target=/b slot=1 attrs=ro propagation=slave,recursive");
                assert_has(&b, "loopback");
                assert_has(&b, "device-bind path=/dev/null type=c major=1 minor=3");
                ASSERT_EQ(count(&b.plan, INIT_DEVICE), 0);
        }
        TEST("joined namespaces: root joins the user namespace last, others first");
        {
                _cleanup_built_ Built b = BUILD(.facts = root,
                                                .namespaces = JOINED("user") JOINED("network") JOINED("pid"));

                ASSERT(startswith(b.text.s, "open-ns path=/proc/7/ns/user slot=0 type=user\n"
                                            "open-ns path=/proc/7/ns/network slot=1 type=network\n"
                                            "open-ns path=/proc/7/ns/pid slot=2 type=pid\n"
                                            "join slot=1 type=network\n"
                                            "join slot=2 type=pid\n"
                                            "join slot=0 type=user\n"
                                            "become-root\n"
                                            "unshare flags=mount\n"
                                            "fork\n"));
                ASSERT_EQ(count(&b.plan, INIT_LOOPBACK), 0);
        }
        {
                _cleanup_built_ Built b = BUILD(.facts = { .rootless = true },
                                                .namespaces = JOINED("network") JOINED("user"));

                ASSERT(strstr(b.text.s, "join slot=1 type=user\nbecome-root\njoin slot=0 type=network\n"));
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
        TEST("names and keyring");
        {
                _cleanup_built_ Built b = BUILD(.facts = root, .namespaces = ",{\"type\":\"uts\"}",
                                                .top = ",\"hostname\":\"h\",\"domainname\":\"d\"",
                                                .request = { .no_new_keyring = true });

                assert_has(&b, "hostname name=h");
                assert_has(&b, "domainname name=d");
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
                { CGROUP_NS, SYS "," CGROUP "," DEV, ",\"maskedPaths\":[\"/proc/kcore\"]", NULL, INIT_MASK, INIT_USER },
                { CGROUP_NS, SYS "," CGROUP "," DEV, ",\"maskedPaths\":[\"/sys/fs/cgroup/x\"]", NULL, INIT_SYMLINK,
                  INIT_PIVOT },
                { CGROUP_NS, SYS "," CGROUP "," DEV, ",\"readonlyPaths\":[\"/sys/./fs\"]", NULL, INIT_SYMLINK, INIT_PIVOT },
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
        TEST("without mount and namespace the wait is the last thing before the filter and the capabilities");
        {
                _cleanup_built_ Built b = BUILD(.facts = root);

                ASSERT_EQ(first(&b.plan, INIT_WAIT_CGROUP) + 1, first(&b.plan, INIT_CAPABILITIES));
        }
}

static void test_mounts(void) {
#define MOUNT(to, type, ...) "{\"destination\":\"" to "\",\"type\":\"" type "\",\"source\":\"s\",\"options\":[" __VA_ARGS__ "]}"
        TEST("what is read-only and still written to becomes so later");
        {
                _cleanup_built_ Built b = BUILD(
                        .facts = root, .mounts = MOUNT("/dev", "tmpfs", "\"ro\",\"mode=755\"") "," MOUNT(
                                "/run", "tmpfs", "\"rro\"") "," MOUNT("/data", "ext4", "\"ro\",\"sync\"") "," BIND("/x"),
                        .top = ",\"annotations\":{}");

                assert_has(&b, "mount type=tmpfs source=s target=/dev options=[mode=755]");
                assert_has(&b, "mount type=tmpfs source=s target=/run extra=target-mode");
                assert_has(&b, "mount type=ext4 source=s target=/data attrs=ro super=ro,sync");
                assert_has(&b, "remount path=/dev attrs=ro");
                assert_has(&b, "remount path=/run attrs=ro");
                ASSERT_ORDER(&b, INIT_PIVOT, INIT_REMOUNT);
        }
        TEST("a bound /dev is left as it is");
        {
                _cleanup_built_ Built b = BUILD(
                        .facts = root, .mounts = PROC "," BIND("/x/../dev/"),
                        .linux_ = ",\"devices\":[{\"path\":\"/dev/fuse\",\"type\":\"c\",\"major\":10,\"minor\":229},"
                                  "{\"path\":\"/srv/fuse\",\"type\":\"c\",\"major\":10,\"minor\":229,\"fileMode\":384}]");

                ASSERT_EQ(count(&b.plan, INIT_DEVICE), 1);
                ASSERT_EQ(count(&b.plan, INIT_SYMLINK), 0);
                assert_has(&b, "device path=/srv/fuse type=c major=10 minor=229 mode=0600 uid=0 gid=0");
        }
        TEST("listed devices and mounts replace default devices");
        {
                _cleanup_built_ Built b = BUILD(
                        .facts = root, .mounts = PROC "," BIND("/dev/random"),
                        .linux_ = ",\"devices\":[{\"path\":\"/dev//null\",\"type\":\"c\",\"major\":1,\"minor\":3,\"uid\":7},"
                                  "{\"path\":\"/dev/ptmx\",\"type\":\"c\",\"major\":5,\"minor\":2}]");

                ASSERT_EQ(count(&b.plan, INIT_DEVICE), 5);
                assert_has(&b, "device path=/dev/null type=c major=1 minor=3 mode=0666 uid=7 gid=0");
        }
        TEST("user namespaces: no tty group, no sysfs without a network of its own, FIFOs are made");
        {
                _cleanup_built_ Built b = BUILD(
                        .facts = { .own_userns = true, .privileged = true }, .namespaces = USER, .linux_ = MAPS
                                ",\"devices\":[{\"path\":\"/f\",\"type\":\"p\"}]",
                        .mounts = MOUNT("/dev/pts", "devpts", "\"gid=15\",\"mode=0620\"") ","
                                  MOUNT("/p", "devpts", "\"gid=5\"") "," SYS);

                assert_has(&b, "mount type=devpts source=s target=/dev/pts options=[mode=0620]");
                assert_has(&b, "mount type=devpts source=s target=/p options=[gid=5]");
                assert_has(&b, "mount type=sysfs source=sysfs target=/sys attrs=ro extra=sysfs-fallback,no-target-symlink");
                assert_has(&b, "device path=/f type=p major=0 minor=0 mode=0666 uid=0 gid=0");
        }
        TEST("labels");
        {
                HostFacts facts = root;

                facts.selinux = true;
                _cleanup_built_ Built b = BUILD(.facts = facts, .linux_ = ",\"mountLabel\":\"a:b:c:s0:c1,c2\"",
                                                .mounts = PROC "," MOUNT("/t", "tmpfs", "\"mode=1777\"") "," BIND("/b"));

                assert_has(&b, "mount type=tmpfs source=s target=/t options=[mode=1777,context=a:b:c:s0:c1\\x2cc2]");
                assert_has(&b, "mount type=proc source=proc target=/proc extra=no-target-symlink,target-on-proc options=[]");
        }
        TEST("a remount is one");
        {
                _cleanup_built_ Built b = BUILD(.facts = root,
                                                .mounts = PROC "," MOUNT("/proc", "none", "\"remount\",\"ro\",\"exec\""));

                assert_has(&b, "remount path=/proc attrs=ro clear=noexec");
        }
}

static void test_root(void) {
        static const struct {
                const char *value, *before, *rootfs, *after;
        } cases[] = {
                { "shared", "root-propagation flags=shared", "slave,recursive", "share-root flags=shared" },
                { "rslave", "root-propagation flags=slave,recursive", "slave,recursive", "pivot" },
                { "private", "root-propagation flags=private,recursive", "private,recursive", "pivot" },
                { "unbindable", "root-propagation flags=private,recursive", "private,recursive",
                  "share-root flags=unbindable" },
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
                        .process = ",\"cwd\":\"/srv\"",
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
        REFUSE(EINVAL, "mounts[0].destination: ", .facts = root, .mounts = MOUNT("/..", "tmpfs"));
        REFUSE(EINVAL, "mounts[0].type: ", .facts = root, .mounts = MOUNT("/a", "", "\"ro\""));
        REFUSE(EINVAL, "mounts[0].source: ", .facts = root, .mounts = "{\"destination\":\"/a\",\"type\":\"bind\"}");
        REFUSE(EINVAL, "mounts[0].options: ", .facts = root, .mounts = MOUNT("/a", "bind", "\"size=1\""));
        REFUSE(EINVAL, "mounts[0].options: ", .facts = root, .mounts = MOUNT("/a", "ext4", "\"tmpcopyup\""));
        REFUSE(EINVAL, "mounts[0].options: ", .facts = root, .mounts = MOUNT("/a", "x", "\"remount\",\"rro\""));
        REFUSE(EOPNOTSUPP, "mounts[0].options[1]: ", .facts = root, .namespaces = USER, .linux_ = MAPS,
               .mounts = MOUNT("/a", "bind", "\"rbind\",\"idmap\""));
        REFUSE(EOPNOTSUPP, "mounts[0].uidMappings: ", .facts = root,
               .mounts = "{\"destination\":\"/a\",\"type\":\"bind\",\"source\":\"/s\"" MAPS "}");
        REFUSE(EOPNOTSUPP, "linux.namespaces[1].path: ", .facts = root,
               .linux_ = ",\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"mount\",\"path\":\"/x\"}]");
        REFUSE(EOPNOTSUPP, "linux.namespaces: ", .facts = root, .linux_ = ",\"namespaces\":[]");
        REFUSE(EOPNOTSUPP, "process.apparmorProfile: ", .facts = root, .process = ",\"apparmorProfile\":\"p\"");
        REFUSE(EOPNOTSUPP, "process.selinuxLabel: ", .facts = root, .process = ",\"selinuxLabel\":\"p\"");
        REFUSE(EOPNOTSUPP, "linux.netDevices: ", .facts = root, .namespaces = ",{\"type\":\"network\"}",
               .linux_ = ",\"netDevices\":{\"eth0\":{}}");
        REFUSE(EOPNOTSUPP, "linux.intelRdt: ", .facts = root, .linux_ = ",\"intelRdt\":{\"closID\":\"x\"}");
        REFUSE(EINVAL, "process.args: ", .facts = root, .no_process = "\"process\":{\"cwd\":\"/\"},",
               .request = { .start_now = true });
        TEST("a profile that is none needs no AppArmor");
        Built b = BUILD(.facts = root, .process = ",\"apparmorProfile\":\"unconfined\"");
        ASSERT_EQ(count(&b.plan, INIT_APPARMOR), 0);
        built_done(&b);
}

static void test_hooks(void) {
        _cleanup_built_ Built b = BUILD(
                .facts = root, .top = ",\"annotations\":{\"a\\\"b\":\"c\"},\"hooks\":{" HOOK("createRuntime") ","
                HOOK("createContainer") ",\"startContainer\":[{\"path\":\"/bin/s\",\"timeout\":3,\"args\":[\"s\"]}]}");
        const InitStep *create = &b.plan.steps[first(&b.plan, INIT_RUNTIME_HOOKS) + 1];
        const InitStep *start = &b.plan.steps[first(&b.plan, INIT_GATE) + 1];

        TEST("hooks: before the pivot, and behind the gate");
        ASSERT_EQ(create->op, INIT_HOOK);
        ASSERT_EQ(create[1].op, INIT_PIVOT);
        ASSERT_STR(create->str[1], "{\"ociVersion\":\"1.3.0\",\"id\":\"c1\",\"status\":\"creating\",\"pid\":");
        ASSERT_STR(create->str[2], ",\"bundle\":\"/b\",\"annotations\":{\"a\\\"b\":\"c\"}}");
        ASSERT(!create->list[0]);
        ASSERT(create->list[1] && !create->list[1][0]);
        ASSERT_EQ(start->op, INIT_HOOK);
        ASSERT_EQ(start->num[0], 3);
        ASSERT(strstr(start->str[1], "\"status\":\"created\""));
        ASSERT_STR(start->list[0][0], "s");
        ASSERT_STR(start->list[1][0], "A=1");
        ASSERT_EQ(count(&b.plan, INIT_HOOK), 2);
}

#define SECCOMP(action) ",\"seccomp\":{\"defaultAction\":\"" action "\",\"listenerPath\":\"/l\"}"

static void test_process(void) {
        const Request filtered = { .seccomp = filter, .seccomp_size = sizeof(filter) };

        TEST("all of a process");
        {
                HostFacts facts = root;

                facts.apparmor = facts.selinux = true;
                _cleanup_built_ Built b = BUILD(
                        .facts = facts, .request = filtered, .linux_ = SECCOMP("SCMP_ACT_ERRNO")
                                ",\"personality\":{\"domain\":\"LINUX32\"},"
                                "\"memoryPolicy\":{\"mode\":\"MPOL_BIND\",\"nodes\":\"0\",\"flags\":[\"MPOL_F_STATIC_NODES\"]}",
                        .process = ",\"terminal\":true,\"consoleSize\":{\"height\":3,\"width\":4},\"apparmorProfile\":\"p\","
                                   "\"selinuxLabel\":\"l\",\"user\":{\"uid\":7,\"gid\":8,\"umask\":63,\"additionalGids\":[9,10]},"
                                   "\"scheduler\":{\"policy\":\"SCHED_BATCH\",\"nice\":-1},"
                                   "\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":4},"
                                   "\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":1,\"hard\":18446744073709551615}],"
                                   "\"capabilities\":{\"bounding\":[\"CAP_KILL\"],\"permitted\":[\"CAP_KILL\"]}");

                assert_has(&b, "console height=3 width=4 uid=7 gid=-1 bind");
                ASSERT(strstr(b.text.s, "pivot\n"
                                        "wait-cgroup\n"
                                        "scheduler policy=3 nice=-1 priority=0 runtime=0 deadline=0 period=0\n"
                                        "io-priority value=16388\n"
                                        "personality persona=0x8\n"
                                        "memory-policy nodes=0 mode=0x8002\n"
                                        "apparmor profile=p\n"
                                        "selinux label=l\n"
                                        "umask mask=077\n"
                                        "bounding caps=kill\n"
                                        "user uid=7 gid=8 groups=[9,10]\n"
                                        "cwd path=/\n"
                                        "rlimit resource=core soft=1 hard=infinity\n"
                                        "seccomp\n"
                                        "capabilities effective=none permitted=kill inheritable=none ambient=none\n"
                                        "find args=[sh] env=[A=1]\n"
                                        "ready\n"
                                        "gate\n"
                                        "exec args=[sh] env=[A=1]\n"));
        }
        TEST("the filter comes last with no_new_privs, unless somebody has to be sent its listener");
        {
                _cleanup_built_ Built b = BUILD(.facts = root, .request = filtered,
                                                .process = ",\"noNewPrivileges\":true",
                                                .linux_ = SECCOMP("SCMP_ACT_ERRNO"),
                                                .top = ",\"hooks\":{" HOOK("startContainer") "}");

                ASSERT_EQ(first(&b.plan, INIT_SECCOMP) + 1, first(&b.plan, INIT_EXEC));
        }
        {
                _cleanup_built_ Built b = BUILD(.facts = root, .request = filtered,
                                                .process = ",\"noNewPrivileges\":true",
                                                .linux_ = SECCOMP("SCMP_ACT_NOTIFY"));

                ASSERT_EQ(first(&b.plan, INIT_SECCOMP) + 1, first(&b.plan, INIT_READY));
                assert_has(&b, "seccomp listener-path=/l listener");
        }
        TEST("the environment: the last of a name counts; sockets that systemd passed");
        {
                _cleanup_built_ Built b = BUILD(
                        .facts = root, .request = { .listen_fds = 2, .listen_fd_names = "a:b", .start_now = true },
                        .process = ",\"env\":[\"B=1\",\"A=1\",\"LISTEN_PID=7\",\"B=\",\"AB=1\",\"A=2=\"]");

                ASSERT(strstr(b.text.s, "ready\nexec args=[sh] "
                                        "env=[B=,AB=1,A=2=,LISTEN_FDS=2,LISTEN_PID=1,LISTEN_FDNAMES=a:b]\n"));
        }
        TEST("groups of the caller, and a setgroups(2) that may be denied");
        {
                _cleanup_built_ Built b = BUILD(.facts = { .rootless = true },
                                                .top = ",\"annotations\":{\"run.oci.keep_original_groups\":\"1\"}");

                assert_has(&b, "user uid=0 gid=0 keep-groups lenient-groups groups=[]");
        }
        TEST("nothing to execute: the gate is the end");
        {
                _cleanup_built_ Built b = BUILD(.facts = root, .no_process = " ");
                _cleanup_built_ Built c = BUILD(.facts = root, .no_process = "\"process\":{\"cwd\":\"/\"},");

                ASSERT_EQ(count(&b.plan, INIT_USER), 0);
                ASSERT_EQ(count(&c.plan, INIT_USER), 1);
        }
}

static void test_exec(void) {
        static const HostFacts facts = { .privileged = true };
        _cleanup_error_ Error error = {};
        _cleanup_(init_plan_done) InitPlan plan = {};
        _cleanup_text_ Text text = {};
        Config config = {
                .process = ",\"terminal\":true,\"oomScoreAdj\":1,\"noNewPrivileges\":true,"
                           "\"execCPUAffinity\":{\"initial\":\"0\",\"final\":\"0-1\"},\"cwd\":\"/x\"",
                .top = ",\"hooks\":{" HOOK("startContainer") "}",
        };
        Spec *spec = parse(&config);
        ExecRequest request = { .process = spec->process, .id = "c1", .seccomp = filter, .seccomp_size = sizeof(filter),
                                .namespaces = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUSER };

        TEST("a further process, whole");
        ASSERT_EQ(init_plan_build_exec(spec, &request, &facts, &plan, &error), 0);
        init_plan_print(&plan, &text);
        ASSERT_STR(text.s,
                   "oom-score-adj value=1\n"
                   "affinity cpus=0\n"
                   "wait-cgroup\n"
                   "affinity cpus=0-1\n"
                   "enter flags=user,mount,pid\n"
                   "become-root\n"
                   "fork\n"
                   "setsid\n"
                   "keyring name=_ses.c1\n"
                   "console height=0 width=0 uid=0 gid=-1\n"
                   "umask mask=022\n"
                   "bounding caps=none\n"
                   "user uid=0 gid=0 groups=[]\n"
                   "cwd path=/x\n"
                   "capabilities effective=none permitted=none inheritable=none ambient=none\n"
                   "no-new-privs\n"
                   "find args=[sh] env=[A=1]\n"
                   "ready\n"
                   "seccomp\n"
                   "exec args=[sh] env=[A=1]\n");
        spec_free(spec);
}

int main(void) {
        test_small();
        test_namespaces();
        test_cgroup();
        test_mounts();
        test_root();
        test_refused();
        test_hooks();
        test_process();
        test_exec();
        return 0;
}
