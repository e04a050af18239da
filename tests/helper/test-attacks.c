/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/test.h"
#include "launch.h"

/* Root file systems made to lead the helper out of them, as known vulnerabilities of runtimes did. What lies
 * outside is a victim directory in the sandbox; it must look the same afterwards, whatever becomes of the
 * container. */

#define NAMESPACES (CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET)
#define ATTRS (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

static const char *victim, *rootfs;
static char *before;
static Launch l;

static char *look(void) {
        return shell_output("cd %s && stat -c '%%n %%F %%a %%u:%%g %%s %%y' . * && cat secret && "
                            "stat -c '%%a %%u:%%g %%t:%%T' /dev/null && grep -c . /proc/self/mountinfo",
                            victim);
}

/* A fresh root file system, changed by a command that runs in it. V in it stands for the victim. */
static void fresh(const char *command) {
        shell("rm -rf %s", sandbox_path("rootfs"));
        rootfs = sandbox_rootfs("rootfs");
        shell("V=%s; cd %s; %s", victim, rootfs, command);
        free(before);
        before = look();
        l = (Launch){};
}

static void check(void) {
        _cleanup_free_ char *after = look();

        ASSERT_STR(after, before);
        ASSERT(!strstr(l.output, "sentinel"));
}

#define EXPECT_ERROR(text)                                                                                  \
        do {                                                                                                \
                ASSERT_STR(l.error, text);                                                                  \
                ASSERT_EQ(l.status, W_EXITCODE(1, 0));                                                      \
                check();                                                                                    \
        } while (0)
#define EXPECT_OUTPUT(text)                                                                                 \
        do {                                                                                                \
                ASSERT_STR(l.error, "");                                                                    \
                ASSERT_STR(l.output, text);                                                                 \
                check();                                                                                    \
        } while (0)

static void begin(InitPlan *p) {
        plan_begin(p, rootfs, NAMESPACES);
        plan_mount(p, "proc", "/proc", ATTRS, INIT_NO_TARGET_SYMLINK, NULL);
}

static void run(InitPlan *p, const char *script) {
        plan_end(p, script);
        launch(p, &l);
}

static void test_dev_symlink(void) {
        static const char *const links[] = { "rmdir dev; ln -s $V dev", "rmdir dev; ln -s ../victim dev",
                                             "rmdir dev; ln -s ../../../../../../../../$V dev" };

        TEST("no mount on /dev, which is a symlink out of the root: all lands inside");
        for (size_t i = 0; i < ELEMENTSOF(links); i++) {
                InitPlan p = {};

                fresh(links[i]);
                begin(&p);
                plan_mount(&p, "devpts", "/dev/pts", 0, 0, NULL);
                plan_mount(&p, "tmpfs", "/dev/shm", 0, 0, NULL);
                plan_nodes(&p);
                run(&p, "ls /dev/");
                EXPECT_OUTPUT("fd\nfull\nnull\nptmx\npts\nrandom\nshm\nstdin\nstdout\ntty\nurandom\nzero\n");
        }
}

static void test_dev_null(void) {
        static const struct {
                const char *prepare;
                bool kept;
        } cases[] = {
                { "ln -s $V/secret dev/null", false }, { "ln -s ../../victim/secret dev/null", false },
                { "ln -s /nonesuch dev/null", false }, { "mkfifo dev/null", false },
                { "echo x > dev/null", false },        { "mknod dev/null c 1 5", false },
                { "mknod dev/null b 1 3", false },     { "mkdir dev/null", false },
                { "ln $V/secret dev/null", false },    { "mknod dev/null c 1 3", true },
        };

        TEST("no mount on /dev, and something is at /dev/null already");
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                InitPlan p = {};

                fresh(cases[i].prepare);
                begin(&p);
                plan_nodes(&p);
                init_add_stdio_owner(&p, NULL)->uid = 7;
                run(&p, "stat -c %t:%T /dev/null");
                if (cases[i].kept)
                        EXPECT_OUTPUT("1:3\n");
                else
                        EXPECT_ERROR("create device /dev/null: something else is there already");
        }
        shell("rm -f %s/dev/null", rootfs); /* the hard link */
}

static void test_bound_device(void) {
        static const char *const prepare[] = { "ln -s $V/new dev/null", "mkfifo dev/null", "mkdir dev/null",
                                               "touch dev/null" };

        TEST("a device that is bound, where something is already");
        for (size_t i = 0; i < ELEMENTSOF(prepare); i++) {
                InitPlan p = {};

                fresh(prepare[i]);
                begin(&p);
                *init_add_device_bind(&p, NULL) = (InitDeviceBind){
                        .path = "/dev/null",
                        .type = 'c',
                        .major = 1,
                        .minor = 3,
                };
                run(&p, "stat -c %t:%T /dev/null");
                if (i == 3)
                        EXPECT_OUTPUT("1:3\n");
                else
                        EXPECT_ERROR("/dev/null in the rootfs is neither a device nor a regular file");
        }
}

static void test_device_below_symlink(void) {
        InitPlan p = {};

        TEST("a device and a symlink below a symlink");
        fresh("ln -s $V dev/sub");
        begin(&p);
        *init_add_device(&p, NULL) = (InitDevice){
                .path = "/dev/sub/x",
                .type = 'c',
                .major = 1,
                .minor = 3,
        };
        *init_add_symlink(&p, NULL) = (InitSymlink){ .target = "target", .path = "/dev/sub/link" };
        init_add_mkdir(&p, NULL)->path = "/dev/sub/made";
        run(&p, "ls /dev/sub/");
        EXPECT_OUTPUT("link\nmade\nx\n");
}

static void test_console(void) {
        static const char *const prepare[] = { "ln -s $V/newfile dev/console", "ln -s $V/secret dev/console",
                                               "mkfifo dev/console", "mkdir dev/console" };

        TEST("/dev/console is a symlink, a pipe, a directory");
        for (size_t i = 0; i < ELEMENTSOF(prepare); i++) {
                InitPlan p = {};

                fresh(prepare[i]);
                begin(&p);
                plan_mount(&p, "devpts", "/dev/pts", 0, 0, NULL);
                init_add_console(&p, NULL)->bind = true;
                run(&p, "true");
                EXPECT_ERROR("/dev/console in the rootfs is neither a device nor a regular file");
        }
}

static void test_pts(void) {
        static const struct {
                const char *prepare, *error;
        } cases[] = {
                { "mkdir dev/pts; ln -s $V/ptmx dev/pts/ptmx",
                  "open /dev/pts for the console: not a devpts" },
                { "ln -s $V dev/pts", "open /dev/pts for the console: no such file or directory" },
                { "ln -s / dev/pts; mknod ptmx c 5 2", "open /dev/pts for the console: not a devpts" },
        };

        TEST("a terminal without a devpts of our own");
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                InitPlan p = {};

                fresh(cases[i].prepare);
                begin(&p);
                init_add_console(&p, NULL)->bind = true;
                run(&p, "true");
                EXPECT_ERROR(cases[i].error);
        }
}

static void test_proc_symlink(void) {
        static const char *const prepare[] = { "rmdir proc; ln -s $V proc", "rmdir proc; ln -s / proc",
                                               "rmdir proc; ln -s bad proc",
                                               "rmdir proc; ln -s ../victim proc" };

        TEST("/proc is a symlink");
        for (size_t i = 0; i < ELEMENTSOF(prepare); i++) {
                InitPlan p = {};

                fresh(prepare[i]);
                begin(&p);
                run(&p, "true");
                EXPECT_ERROR(
                        "mount proc to rootfs at /proc: \"/proc\" must be mounted on ordinary directory");
        }
}

static void test_over_proc(void) {
        static const char *const targets[] = { "/proc",   "/proc/self/attr", "/p2",
                                               "/p2/sys", "/proc/sys",       "/p2/self/attr" };
        InitPlan p = {};

        TEST("mounts over procfs, by name and through a symlink");
        for (size_t i = 0; i < 2 * ELEMENTSOF(targets); i++) {
                const char *target = targets[i / 2];

                fresh("ln -s /proc p2");
                begin(&p);
                if (i % 2)
                        plan_bind(&p, "/tmp", target, 0, 0);
                else
                        plan_mount(&p, "tmpfs", target, 0, 0, NULL);
                run(&p, "true");
                ASSERT(strstr(l.error, "is inside a procfs, which cannot be mounted over"));
                check();
        }

        fresh("echo fake > meminfo");
        begin(&p);
        plan_bind(&p, xasprintf("%s/meminfo", rootfs), "/proc/meminfo", 0, INIT_TARGET_ON_PROC);
        run(&p, "cat /proc/meminfo");
        EXPECT_OUTPUT("fake\n");

        fresh("true");
        plan_begin(&p, rootfs, NAMESPACES);
        plan_bind(&p, "/tmp", "/proc", 0, INIT_SOURCE_PROC);
        run(&p, "true");
        EXPECT_ERROR("/proc: only a procfs can be mounted there");
}

static void test_mount_targets(void) {
        static const struct {
                const char *prepare, *target, *inside;
        } cases[] = {
                { "ln -s $V a", "/a/b", "b\n" },
                { "ln -s ../../../../../../../.. a", "/a/tmp/b", "b\n" },
                { "ln -s ../victim a", "/a/b", "b\n" },
                { "ln -s /nonesuch/x a", "/a/b", "b\n" }, /* dangling: made where it points to, inside */
                { "mkdir m; ln -s ../../../../.. m/up", "/m/up/../../a/b", "b\n" },
                { "ln -s /proc/self/root a", "/a/b", NULL }, /* a magic link is no way */
                { "ln -s a a", "/a/b", NULL },
        };

        TEST("mount targets behind symlinks");
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                InitPlan p = {};

                fresh(cases[i].prepare);
                begin(&p);
                plan_mount(&p, "tmpfs", cases[i].target, 0, 0, NULL);
                run(&p, xasprintf("cd %s/.. && ls -d b", cases[i].target));
                if (cases[i].inside)
                        EXPECT_OUTPUT(cases[i].inside);
                else
                        EXPECT_ERROR(xasprintf(
                                "mount tmpfs to rootfs at %s: open %s in the rootfs: too many levels of symbolic links",
                                cases[i].target, cases[i].target));
        }
}

static void test_file_targets(void) {
        static const char *const prepare[] = { "ln -s $V/newfile f", "ln -s ../victim/newfile f",
                                               "ln -s ../../../../$V/secret f" };

        TEST("a file bound on a symlink");
        for (size_t i = 0; i < ELEMENTSOF(prepare); i++) {
                InitPlan p = {};

                fresh(prepare[i]);
                shell("echo bound > %s", sandbox_path("bound"));
                begin(&p);
                plan_bind(&p, sandbox_path("bound"), "/f", 0, 0);
                run(&p, "cat /f");
                EXPECT_OUTPUT("bound\n");
        }
}

static void test_copied_links(void) {
        static const char *const prepare[] = { "ln -s $V a", "ln -s ../victim a", "mkdir a; ln -s $V/newfile a/link",
                                               "mkdir a; ln -s /proc/self/exe a/link", "ln -s /p2/self a; ln -s /proc p2" };

        TEST("a symlink copied to behind symlinks; a mount on a link that is procfs's own");
        shell("ln -sfn /tmp %s", sandbox_path("link"));
        for (size_t i = 0; i < ELEMENTSOF(prepare); i++) {
                InitPlan p = {};

                fresh(prepare[i]);
                begin(&p);
                plan_bind(&p, sandbox_path("link"), "/a/link", 0, INIT_NO_SOURCE_FOLLOW | INIT_COPY_SYMLINK);
                run(&p, "readlink /a/link");
                if (i < 2)
                        EXPECT_OUTPUT("/tmp\n");
                else
                        ASSERT(l.error[0]);
                check();
        }
        shell("echo bound > %s", sandbox_path("bound"));
        for (unsigned i = 0; i < 2; i++) {
                InitPlan p = {};

                fresh("ln -s /proc p2");
                begin(&p);
                plan_bind(&p, sandbox_path("bound"), i ? "/p2/self/exe" : "/proc/self/exe", 0, INIT_NO_TARGET_FOLLOW);
                run(&p, "true");
                ASSERT(l.error[0]);
                check();
        }
}

static void test_sources(void) {
        static const struct {
                const char *prepare, *source, *seen;
        } cases[] = {
                { "ln -s $V a", "/a/secret", NULL },
                { "ln -s ../victim a; mkdir victim; echo in > victim/secret", "/a/secret", "in\n" },
                { "ln -s $V/secret a; mkdir -p ./$V; echo in > ./$V/secret", "/a", "in\n" },
                { "ln -s ../../../../../../../../../.. a; mkdir -p ./$V; echo in > ./$V/secret", "/a/$V/secret", "in\n" },
                { "mkdir d; ln -s ../../.. d/up; echo in > secret", "/d/up/../../secret", "in\n" },
                { "mkdir d; ln -s d a; echo in > d/secret", "//a/./secret", "in\n" },
                { "ln -s /proc/self/root a", "/a/$V/secret", NULL },
                { "ln -s /proc/1/root a", "/a/$V/secret", NULL },
                { "ln -s a a", "/a", NULL },
        };

        TEST("sources of binds behind symlinks of the rootfs, and on what is mounted there");
        for (size_t i = 0; i < 2 * ELEMENTSOF(cases); i++) {
                const char *source = cases[i / 2].source, *dollar = strstr(source, "$V");
                InitPlan p = {};

                fresh(cases[i / 2].prepare);
                begin(&p);
                if (dollar)
                        source = xasprintf("%.*s%s%s", (int) (dollar - source), source, victim, dollar + 2);
                if (i % 2) {
                        plan_bind(&p, "/", "/mnt", 0, INIT_RECURSIVE | INIT_SOURCE_IN_ROOT);
                        source = xasprintf("/mnt%s", source);
                }
                plan_bind(&p, source, "/b", 0, INIT_SOURCE_IN_ROOT);
                run(&p, "cat /b");
                if (cases[i / 2].seen)
                        EXPECT_OUTPUT(cases[i / 2].seen);
                else
                        ASSERT(startswith(l.error, xasprintf("open mount source %s in the rootfs: ", source)));
                check();
        }
}

/* A mount namespace whose processes want to see what the helper has open: by links into their own /proc. */
static void test_hostile_namespace(void) {
        _cleanup_close_ int ns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
        const char *path = xasprintf("/proc/%d/fd/%d", getpid(), ns), *trap = sandbox_path("trap");
        static const char *what[] = { "lowerdir=/x", NULL };
        unsigned magic = 0;

        TEST("a mount namespace of others is no way to our descriptors");
        for (unsigned fd = 3; fd < 12; fd++)
                for (unsigned i = 0; i < 3; i++) {
                        InitPlan p = {};

                        fresh("true");
                        shell("ln -sfn /proc/self/fd/%u %s && mkdir -p %s", fd, trap, sandbox_path("empty"));
                        what[0] = xasprintf("lowerdir=%s:%s", trap, sandbox_path("empty"));
                        *init_add_open_ns(&p, NULL) = (InitOpenNs){
                                .path = path,
                                .slot = 1,
                                .type = CLONE_NEWNS,
                        };
                        *init_add_join(&p, NULL) = (InitJoin){ .slot = 1, .type = CLONE_NEWNS };
                        init_add_unshare(&p, NULL)->flags = CLONE_NEWNS;
                        *init_add_rootfs(&p, NULL) = (InitRootfs){
                                .path = i == 0 ? trap : rootfs,
                                .propagation = MS_PRIVATE | MS_REC,
                        };
                        if (i == 1)
                                plan_bind(&p, trap, "/mnt", 0, INIT_RECURSIVE);
                        if (i == 2)
                                plan_mount(&p, "overlay", "/mnt", MOUNT_ATTR_RDONLY, 0, what);
                        init_add_chroot(&p, NULL);
                        plan_shell(&p, "ls / /mnt");
                        launch(&p, &l);
                        magic += i < 2 && strstr(l.error, "too many levels of symbolic links");
                        if ((i < 2 && !l.error[0]) || strstr(l.output, "uptime"))
                                FAIL_AT("descriptor %u, way %u: %s", fd, i, l.output);
                        check();
                }
        ASSERT(magic >= 4);
}

static void test_masks(void) {
        static const char *const prepare[] = { "ln -s $V/secret dev/null; echo s > m",
                                               "mknod dev/null c 1 5; echo s > m" };
        InitPlan p = {};

        TEST("masks do not use the container's /dev/null, and do not leave the root");
        for (size_t i = 0; i < ELEMENTSOF(prepare); i++) {
                fresh(prepare[i]);
                begin(&p);
                plan_mask(&p, "/m", NULL);
                run(&p, "stat -c '%F %t:%T' /m");
                EXPECT_OUTPUT("character special file 1:3\n");
        }
        fresh("ln -s $V m; ln -s $V r; ln -s ../victim/secret n; ln -s loop loop");
        begin(&p);
        plan_mask(&p, "/m", NULL);
        plan_mask(&p, "/n", NULL);
        init_add_readonly(&p, NULL)->path = "/r";
        run(&p, "echo in");
        EXPECT_OUTPUT("in\n");
        shell("touch %s/x && rm %s/x", victim, victim);
        fresh("ln -s loop loop");
        begin(&p);
        plan_mask(&p, "/loop", NULL);
        run(&p, "echo in");
        EXPECT_ERROR("mask /loop: too many levels of symbolic links");
}

static void test_masks_of_own_node(void) {
        InitPlan p = {};

        TEST("a null device that was looked at when it was made stays what files are masked with");
        fresh("echo s > m; echo s > n");
        begin(&p);
        *init_add_device(&p, NULL) = (InitDevice){
                .path = "/dev/null",
                .type = 'c',
                .major = 1,
                .minor = 3,
                .mode = 0666,
                .keep = 5,
        };
        *init_add_mount(&p, NULL) = (InitMount){ .type = "tmpfs", .source = "tmpfs", .target = "/dev" };
        init_add_pivot(&p, NULL);
        plan_mask(&p, "/m", NULL)->null = 5;
        plan_mask(&p, "/n", NULL)->null = 5;
        plan_shell(&p, "for i in /m /n; do stat -c %t:%T $i; /bin/busybox chmod 600 $i 2>/dev/null && echo $i; done; true");
        launch(&p, &l);
        ASSERT_STR(l.error, "");
        EXPECT_OUTPUT("1:3\n1:3\n");
        ASSERT_STR(shell_output("stat -c %%a %s/dev/null", rootfs), "666\n");
}

static void test_masks_of_host_node(void) {
        InitPlan p = {};

        /* They are that already, so a failure does no harm. */
        TEST("what files are masked with takes what is written, but no owner or mode, which would be the host's");
        fresh("echo s > m; echo s > n");
        begin(&p);
        plan_mask(&p, "/m", NULL);
        plan_mask(&p, "/n", NULL);
        run(&p, "for i in /m /n; do echo x > $i && cat $i; for c in 'chmod 666' 'chown 0:0'; do "
                "/bin/busybox $c $i 2>/dev/null && echo $c $i; done; done; true");
        EXPECT_OUTPUT("");
}

static void test_rootfs_symlink(void) {
        const char *link = sandbox_path("planted");
        _cleanup_free_ char *refused = xasprintf("open rootfs %s: a symlink on the way is not followed; it leads to %s",
                                                 link, sandbox_path("rootfs"));
        InitPlan p = {};

        TEST("the rootfs is a symlink of root's");
        fresh("true");
        shell("ln -s rootfs %s", link);
        rootfs = link;
        begin(&p);
        run(&p, "echo in");
        EXPECT_ERROR(refused);
}

static void test_cwd(void) {
        InitPlan p = {};

        TEST("a working directory by a descriptor of ours");
        for (unsigned fd = 0; fd <= 20; fd++)
                for (unsigned link = 0; link < 2; link++) {
                        const char *env[] = { "PATH=/bin", NULL }, *args[] = { "sh", "-c", "ls ..", NULL };
                        _cleanup_free_ char *path = xasprintf("/proc/self/fd/%u", fd);

                        fresh("true");
                        shell("ln -s %s %s/x", path, rootfs);
                        begin(&p);
                        init_add_pivot(&p, NULL);
                        init_add_cwd(&p, NULL)->path = link ? "/x" : path;
                        plan_exec(&p, args, env);
                        l.extra_fds = 20;
                        launch(&p, &l);
                        ASSERT(strstr(l.error, "chdir to \""));
                        ASSERT_STR(l.output, "");
                }
        fresh("ln -s $V x");
        begin(&p);
        init_add_pivot(&p, NULL);
        init_add_mkdir(&p, NULL)->path = "/x/new";
        init_add_cwd(&p, NULL)->path = "/x/new";
        plan_shell(&p, "pwd -P");
        launch(&p, &l);
        EXPECT_OUTPUT(xasprintf("%s/new\n", victim)); /* that path, in the container */
}

static void test_copy_up(void) {
        InitPlan p = {};

        TEST("tmpcopyup of a symlink, and of symlinks below");
        fresh("ln -s $V data; mkdir more; ln -s $V more/out; ln -s $V/secret more/file");
        begin(&p);
        plan_mount(&p, "tmpfs", "/data", 0, INIT_COPY_UP, NULL);
        plan_mount(&p, "tmpfs", "/more", 0, INIT_COPY_UP, NULL);
        run(&p, "ls /data/; (readlink /more/out; readlink /more/file) | grep -c victim");
        EXPECT_OUTPUT("2\n");
}

static void test_passwd(void) {
        static const char *const prepare[] = {
                "rm etc/passwd; ln -s $V/passwd etc/passwd", "rm etc/passwd; mkfifo etc/passwd",
                "printf 'a:x:0:0::relative:\\nroot:x:0\\n:::::\\nx:x:00x:0::/bad:/\\n' > etc/passwd",
                "printf '0:x:1000:0::/zero:/bin/sh\\n' > etc/passwd", "rm etc/passwd; mkdir etc/passwd"
        };
        InitPlan p = {};

        TEST("an /etc/passwd that lies, leads out, or blocks");
        shell("echo 'root:x:0:0::/sentinel:/bin/sh' > %s/passwd", victim);
        for (size_t i = 0; i < ELEMENTSOF(prepare); i++) {
                fresh(prepare[i]);
                begin(&p);
                run(&p, "echo $HOME");
                EXPECT_OUTPUT("/\n");
        }
}

static void test_self_exe(void) {
        static const char *const programs[] = { "/proc/self/exe", "/script" };

        TEST("the container's program is ours: it is not the runtime's to be overwritten, and knows nothing to do");
        for (size_t i = 0; i < ELEMENTSOF(programs); i++) {
                InitPlan p = {};
                const char *args[] = { programs[i], NULL }, *env[] = { NULL };

                fresh("printf '#!/proc/self/exe\\n' > script; chmod 755 script");
                begin(&p);
                init_add_pivot(&p, NULL);
                plan_exec(&p, args, env);
                launch(&p, &l);
                ASSERT(l.status == W_EXITCODE(1, 0));
                check();
        }
}

static void test_sysctl(void) {
        static const char *const paths[] = { "net/nonesuch", "/etc/passwd", "../etc/passwd",
                                             "kernel/nonesuch" };

        TEST("sysctl names that lead elsewhere");
        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                InitPlan p = {};

                fresh("true");
                begin(&p);
                *init_add_sysctl(&p, NULL) = (InitSysctl){ .path = paths[i], .value = "x" };
                run(&p, "true");
                ASSERT(startswith(l.error, "write sysctl "));
                check();
        }
}

static void test_plan(void) {
        InitPlan p = {};

        TEST("plans out of order are errors");
        fresh("true");
        plan_mount(&p, "tmpfs", "/x", 0, 0, NULL);
        launch(&p, &l);
        EXPECT_ERROR("mount tmpfs to rootfs at /x: the init plan has no rootfs before /x");
        fresh("true");
        init_add_join(&p, NULL)->slot = 6;
        launch(&p, &l);
        EXPECT_ERROR("slot 5 of the init plan is empty");
}

int main(void) {
        sandbox_enter();
        victim = sandbox_path("victim");
        shell("mkdir %s && echo sentinel > %s/secret && echo sentinel > %s/ptmx", victim, victim, victim);
        test_dev_symlink();
        test_dev_null();
        test_bound_device();
        test_device_below_symlink();
        test_console();
        test_pts();
        test_proc_symlink();
        test_over_proc();
        test_mount_targets();
        test_file_targets();
        test_copied_links();
        test_sources();
        test_hostile_namespace();
        test_masks();
        test_masks_of_own_node();
        test_masks_of_host_node();
        test_rootfs_symlink();
        test_cwd();
        test_copy_up();
        test_passwd();
        test_self_exe();
        test_sysctl();
        test_plan();
        return 0;
}
