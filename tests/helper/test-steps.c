/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/test.h"
#include "launch.h"

/* What each step does, seen from inside a container. */

#define NAMESPACES (CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET)
#define ATTRS (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

static const char *rootfs;
static Launch l;

static void reset(void) {
        l = (Launch){};
}

/* The container ended well and printed this. */
#define EXPECT(text)                                                                                        \
        do {                                                                                                \
                ASSERT_STR(l.error, "");                                                                    \
                ASSERT_STR(l.output, text);                                                                 \
                ASSERT_EQ(l.status, 0);                                                                     \
        } while (0)

static void begin(InitPlan *p) {
        reset();
        plan_begin(p, rootfs, NAMESPACES);
        plan_mount(p, "proc", "/proc", ATTRS, INIT_NO_TARGET_SYMLINK, NULL);
        plan_dev(p);
}

static void run(InitPlan *p, const char *script) {
        plan_end(p, script);
        launch(p, &l);
}

static void test_plain(void) {
        InitPlan p = {};

        TEST("a plain container: pid 1, device nodes, no descriptor of ours, HOME from /etc/passwd");
        reset();
        plan_plain(
                &p, rootfs,
                "echo $$ $HOME; stat -c '%n %F %t:%T %a' /dev/null; readlink /dev/fd; ls /proc/self/fd; umask;"
                "grep -c . /proc/self/mounts; ls /dev/pts; cat /proc/1/comm; true");
        l.extra_fds = 10;
        launch(&p, &l);
        EXPECT("1 /root\n/dev/null character special file 1:3 666\n/proc/self/fd\n0\n1\n2\n3\n0022\n4\nptmx\nsh\n");
}

static void test_names(void) {
        InitPlan p = {};

        TEST("hostname, domainname, loopback, session, keyring");
        reset();
        plan_begin(&p, rootfs, NAMESPACES);
        plan_step(&p, INIT_HOSTNAME, "box", NULL);
        plan_step(&p, INIT_DOMAINNAME, "example", NULL);
        plan_step(&p, INIT_LOOPBACK, NULL, NULL);
        plan_step(&p, INIT_KEYRING, "_ses.test", NULL);
        plan_mount(&p, "proc", "/proc", ATTRS, 0, NULL);
        run(&p,
            "hostname; cat /proc/sys/kernel/domainname; ip link show lo | grep -c UP; grep -q _ses.test /proc/keys && echo 1");
        EXPECT("box\nexample\n1\n1\n");
}

static void test_exec_errors(void) {
        static const struct {
                const char *arg, *error;
        } cases[] = {
                { "foo", "exec: \"foo\": executable file not found in $PATH" },
                { "/foo", "exec: \"/foo\": stat /foo: no such file or directory" },
                { "/bin", "exec: \"/bin\": is a directory" },
                { "/etc/passwd", "exec: \"/etc/passwd\": permission denied" },
                { "", "exec: \"\": executable file not found in $PATH" },
                { "/bin/noformat", "exec: \"/bin/noformat\": exec format error" },
        };

        TEST("exec errors in Go's words");
        shell("echo x > %s/bin/noformat; chmod 755 %s/bin/noformat", rootfs, rootfs);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const char *args[] = { cases[i].arg, NULL },
                           *env[] = { "PATH=/usr/bin:relative::/bin", NULL };
                InitPlan p = {};

                begin(&p);
                plan_step(&p, INIT_PIVOT, NULL, NULL);
                plan_exec(&p, args, env);
                launch(&p, &l);
                ASSERT_STR(l.error, cases[i].error);
                ASSERT_EQ(WEXITSTATUS(l.status), 1);
        }
}

static void test_mounts(void) {
        static const char *size[] = { "size=1m", "mode=750", NULL }, *bad[] = { "size=many", NULL };
        InitPlan p = {};

        TEST("tmpfs with options, binds of directories and files, attributes, slots");
        shell("mkdir -p %s/sub && echo hello > %s/file && mkdir -p %s/src && mount -t tmpfs t %s/sub && touch %s/sub/in",
              sandbox_path("src"), sandbox_path("src"), rootfs, sandbox_path("src"), sandbox_path("src"));
        begin(&p);
        plan_mount(&p, "tmpfs", "/made/for/it", ATTRS | MOUNT_ATTR_NOATIME, 0, size);
        plan_bind(&p, sandbox_path("src"), "/bound", MOUNT_ATTR_RDONLY, INIT_RECURSIVE);
        plan_bind(&p, sandbox_path("src"), "/flat", 0, 0);
        plan_bind(&p, sandbox_path("src/file"), "/etc/new/file", 0, 0);
        run(&p,
            "stat -c %a /made/for/it; grep /made /proc/mounts; touch /bound/x; touch /bound/sub/x && echo rw; ls /flat/sub;"
            "cat /etc/new/file");
        EXPECT("750\ntmpfs /made/for/it tmpfs rw,nosuid,nodev,noexec,noatime,size=1024k,mode=750 0 0\n"
               "touch: /bound/x: Read-only file system\nrw\nhello\n");

        begin(&p);
        plan_mount(&p, "tmpfs", "/x", 0, 0, bad);
        run(&p, "true");
        ASSERT_STR(
                l.error,
                "mount tmpfs to rootfs at /x: option \"size=many\": tmpfs: Bad value for 'size': invalid argument");
        begin(&p);
        plan_mount(&p, "nonesuchfs", "/x", 0, 0, NULL);
        run(&p, "true");
        ASSERT_STR(l.error, "mount nonesuchfs to rootfs at /x: unknown filesystem type");
        begin(&p);
        plan_bind(&p, "/nonesuch", "/x", 0, 0);
        run(&p, "true");
        ASSERT_STR(l.error, "open mount source /nonesuch: no such file or directory");
}

static void test_slots(void) {
        InitPlan p = {};
        InitStep *s;

        TEST("a source opened before the mount namespace; recursive attributes; propagation");
        reset();
        s = plan_step(&p, INIT_OPEN_TREE, sandbox_path("src"), NULL);
        s->num[0] = 7;
        s->num[1] = 1;
        s->num[2] = INIT_NO_SLOT;
        plan_begin(&p, rootfs, NAMESPACES);
        plan_mount(&p, "proc", "/proc", ATTRS, 0, NULL);
        s = plan_step(&p, INIT_BIND, NULL, "/bound");
        s->num[0] = 7;
        s->num[3] = MOUNT_ATTR_RDONLY;
        s->num[5] = MS_SHARED;
        run(&p, "touch /bound/x; touch /bound/sub/x; grep ' /bound ' /proc/self/mountinfo | grep -c shared:;"
                "grep ' /bound/sub ' /proc/self/mountinfo | grep -c shared:");
        ASSERT_STR(
                l.output,
                "touch: /bound/x: Read-only file system\ntouch: /bound/sub/x: Read-only file system\n1\n0\n");
        shell("umount %s", sandbox_path("src/sub"));
}

static void test_idmap(void) {
        static const char *uids[] = { "0:5000:1", "3:7:2", NULL }, *gids[] = { "0:6000:10", NULL };
        InitPlan p = {};
        InitStep *s;

        TEST("mapped mounts: of a tree and of a new file system");
        shell("mkdir -p %s/sub && mount -t tmpfs x %s/sub && touch %s/root %s/three %s/sub/root && chown 3:3 %s/three",
              sandbox_path("map"), sandbox_path("map"), sandbox_path("map"), sandbox_path("map"), sandbox_path("map"),
              sandbox_path("map"));
        for (unsigned recursive = 0; recursive < 2; recursive++) {
                s = plan_step(&p, INIT_IDMAP, NULL, NULL);
                s->num[0] = 3;
                s->list[0] = uids;
                s->list[1] = gids;
                s = plan_step(&p, INIT_OPEN_TREE, sandbox_path("map"), NULL);
                s->num[0] = 7;
                s->num[1] = 1;
                s->num[2] = 3;
                s->num[3] = recursive;
                s = plan_step(&p, INIT_OPEN_FS, "tmpfs", "new");
                s->num[0] = 8;
                s->num[2] = 3;
                reset();
                plan_begin(&p, rootfs, NAMESPACES);
                plan_mount(&p, "proc", "/proc", ATTRS, 0, NULL);
                plan_step(&p, INIT_BIND, NULL, "/mapped")->num[0] = 7;
                plan_step(&p, INIT_BIND, NULL, "/new")->num[0] = 8;
                run(&p, "stat -c %u:%g /mapped/root /mapped/three /mapped/sub/root /new; ls /proc");
                if (!startswith(l.output, recursive ? "5000:6000\n7:6003\n5000:6000\n5000:6000\n1\n"
                                                    : "5000:6000\n7:6003\n0:0\n5000:6000\n1\n"))
                        FAIL_AT("%s%s", l.error, l.output);
        }
        shell("umount %s/sub", sandbox_path("map"));

        TEST("maps that cannot be, and file systems that have no owners to map");
        for (unsigned i = 0; i < 2; i++) {
                static const char *overlapping[] = { "0:5000:2", "1:7:1", NULL };

                s = plan_step(&p, INIT_IDMAP, NULL, NULL);
                s->num[0] = 3;
                s->list[0] = i == 0 ? overlapping : uids;
                s->list[1] = gids;
                s->origin = "mounts[4]";
                s = plan_step(&p, INIT_OPEN_TREE, "/proc", NULL);
                s->num[0] = 7;
                s->num[2] = 3;
                s->origin = "mounts[4].options[1]";
                reset();
                plan_begin(&p, rootfs, NAMESPACES);
                run(&p, "true");
                ASSERT_STR(l.error, i == 0 ? "mounts[4]: map owners: write uid_map: invalid argument"
                                           : "mounts[4].options[1]: map owners: not with this file system and this kernel");
        }
}

static void test_symlinks(void) {
        InitPlan p = {};

        TEST("symlinks as sources and as targets");
        shell("cd %s && ln -s /etc/passwd link && cd %s && ln -s nowhere dangling && ln -s /etc/passwd same && "
              "ln -s ../etc/passwd other && mkdir -p dir && ln -s /dir todir", sandbox_path("src"), rootfs);
        begin(&p);
        plan_bind(&p, sandbox_path("src/link"), "/linked", 0, INIT_NO_SOURCE_FOLLOW);
        plan_bind(&p, sandbox_path("src/file"), "/dangling", 0, INIT_NO_TARGET_FOLLOW);
        plan_bind(&p, sandbox_path("src/link"), "/same", 0, INIT_NO_SOURCE_FOLLOW | INIT_COPY_SYMLINK);
        plan_bind(&p, sandbox_path("src/link"), "/todir/new/link", 0, INIT_NO_SOURCE_FOLLOW | INIT_COPY_SYMLINK);
        run(&p, "head -c 5 /linked; cat /dangling; readlink /same; readlink /dir/new/link");
        EXPECT("root:hello\n/etc/passwd\n/etc/passwd\n");
        begin(&p);
        plan_bind(&p, sandbox_path("src/link"), "/other", 0, INIT_NO_SOURCE_FOLLOW | INIT_COPY_SYMLINK);
        run(&p, "true");
        ASSERT_STR(l.error, "create symlink /other: something else is there already");
        begin(&p);
        plan_bind(&p, sandbox_path("src"), "/todir", 0, INIT_NO_TARGET_FOLLOW);
        run(&p, "true");
        ASSERT_STR(l.error, "open /todir in the rootfs: not a directory");
}

static void test_joined_mounts(void) {
        _cleanup_close_ int ns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
        const char *path = xasprintf("/proc/%d/fd/%d", getpid(), ns), *place = sandbox_path("foreign");
        InitPlan p = {};
        InitStep *s;
        char *before;

        TEST("in a mount namespace of others: a copy of the rootfs there, nobody's root changed, and taken away again");
        shell("mkdir -p %s && mount --bind %s %s", place, rootfs, place);
        before = shell_output("cat /proc/self/mountinfo");
        for (unsigned i = 0; i < 3; i++) {
                reset();
                s = plan_step(&p, INIT_OPEN_NS, path, NULL);
                s->num[0] = 0;
                s->num[1] = CLONE_NEWNS;
                s = plan_step(&p, INIT_JOIN, NULL, NULL);
                s->num[1] = CLONE_NEWNS;
                s = plan_step(&p, INIT_ROOTFS, place, NULL);
                s->num[0] = MS_SLAVE | MS_REC;
                s->num[1] = i < 2;
                s->num[2] = i == 2;
                s->origin = "root.path";
                if (i == 1)
                        shell("mount --make-shared %s", place);
                if (i < 2)
                        plan_mount(&p, "proc", "/proc", ATTRS, INIT_NO_TARGET_SYMLINK, NULL);
                plan_step(&p, INIT_CHROOT, NULL, NULL);
                plan_shell(&p, "pwd; ls -d /etc/passwd; cd ..; pwd; grep -c foreign /proc/self/mountinfo");
                launch(&p, &l);
                if (i == 1) {
                        ASSERT(startswith(l.error, "root.path: in the mount namespace that is joined it is on a shared"));
                        shell("mount --make-private %s", place);
                        continue;
                }
                ASSERT_STR(l.error, "");
                ASSERT(startswith(l.output, "/\n/etc/passwd\n/\n"));
                if (i == 2)
                        continue;
                ASSERT(!streq(shell_output("cat /proc/self/mountinfo"), before));
                s = plan_step(&p, INIT_OPEN_NS, path, NULL);
                s->num[1] = CLONE_NEWNS;
                plan_step(&p, INIT_JOIN, NULL, NULL)->num[1] = CLONE_NEWNS;
                plan_step(&p, INIT_UNMOUNT, place, NULL)->num[0] = l.mount_id;
                reset();
                launch(&p, &l);
                ASSERT_STR(l.error, "");
                ASSERT_STR(shell_output("cat /proc/self/mountinfo"), before);
        }
        TEST("in our own: where that shares, too, but what is mounted in the copy is not");
        shell("mount --make-shared %s", place);
        before = shell_output("cat /proc/self/mountinfo");
        reset();
        s = plan_step(&p, INIT_ROOTFS, place, NULL);
        s->num[0] = MS_SLAVE | MS_REC;
        s->num[1] = true;
        plan_mount(&p, "proc", "/proc", ATTRS, INIT_NO_TARGET_SYMLINK, NULL);
        plan_step(&p, INIT_CHROOT, NULL, NULL);
        plan_shell(&p, "pwd; grep -c ' /proc .* - proc' /proc/self/mountinfo");
        launch(&p, &l);
        EXPECT("/\n1\n");
        ASSERT_STR(shell_output("grep foreign /proc/self/mountinfo | grep -c shared:"), "1\n");
        plan_step(&p, INIT_UNMOUNT, place, NULL)->num[0] = l.mount_id;
        reset();
        launch(&p, &l);
        ASSERT_STR(l.error, "");
        ASSERT_STR(shell_output("cat /proc/self/mountinfo"), before);
        shell("umount %s", place);
}

static void test_copy_up(void) {
        InitPlan p = {};

        TEST("tmpcopyup keeps modes, owners, symlinks, times and the like; a tmpfs takes the mode of what it covers");
        shell("mkdir -p %s/data/deep/er && cd %s/data && chmod 1700 . && echo a > deep/er/a && chmod 4750 deep/er/a && "
              "chown -R 12:34 deep && chmod 4750 deep/er/a && ln -s /etc/passwd link && mkfifo pipe && "
              "touch -d '2001-02-03 04:05:06 UTC' deep/er/a",
              rootfs, rootfs);
        begin(&p);
        plan_mount(&p, "tmpfs", "/data", 0, INIT_COPY_UP | INIT_TARGET_MODE, NULL);
        run(&p,
            "cd /data; stat -c '%n %a %u:%g %Y' deep/er/a; readlink link; stat -c %F pipe; cat deep/er/a; stat -c %a /data");
        EXPECT("deep/er/a 4750 12:34 981173106\n/etc/passwd\nfifo\na\n1700\n");
}

static void test_overlay(void) {
        InitPlan p = {};
        static const char *options[4];
        _cleanup_text_ Text lower = {};

        TEST("an overlay whose list of layers is longer than fsconfig takes");
        shell("mkdir -p %s/up %s/work", sandbox_path("ovl"), sandbox_path("ovl"));
        text_add(&lower, "lowerdir=");
        for (unsigned i = 0; i < 12; i++) {
                shell("mkdir -p %s/layer-with-a-long-name-%u && echo %u > %s/layer-with-a-long-name-%u/f%u",
                      sandbox_path("ovl"), i, i, sandbox_path("ovl"), i, i);
                text_addf(&lower, "%s%s/layer-with-a-long-name-%u", i > 0 ? ":" : "", sandbox_path("ovl"),
                          i);
        }
        options[0] = lower.s;
        options[1] = xasprintf("upperdir=%s/up", sandbox_path("ovl"));
        options[2] = xasprintf("workdir=%s/work", sandbox_path("ovl"));
        begin(&p);
        plan_mount(&p, "overlay", "/ovl", MOUNT_ATTR_NODEV, 0, options);
        run(&p, "cat /ovl/f0 /ovl/f11; echo new > /ovl/f3; grep -c ' /ovl overlay rw,nodev' /proc/mounts");
        EXPECT("0\n11\n1\n");
        ASSERT_STR(shell_output("cat %s/up/f3", sandbox_path("ovl")), "new\n");
}

static void test_overlay_comma(void) {
        const char *options[] = { xasprintf("lowerdir=%s/a,b:%s/c", sandbox_path("ovl"), sandbox_path("ovl")), NULL };
        InitPlan p = {};

        TEST("an overlay with a comma in a layer's path");
        shell("cd %s && mkdir a,b c && echo ab > a,b/f", sandbox_path("ovl"));
        begin(&p);
        plan_mount(&p, "overlay", "/ovl", MOUNT_ATTR_RDONLY, 0, options);
        run(&p, "cat /ovl/f");
        EXPECT("ab\n");
}

static void test_masks(void) {
        InitPlan p = {};

        TEST("masked and read-only paths");
        shell("mkdir -p %s/secret %s/ro/in && echo s > %s/secret/f && echo s > %s/file1 && echo s > %s/file2",
              rootfs, rootfs, rootfs, rootfs, rootfs);
        begin(&p);
        plan_step(&p, INIT_MASK, "/secret", NULL);
        plan_step(&p, INIT_MASK, "/file1", NULL);
        plan_step(&p, INIT_MASK, "/file2", NULL);
        plan_step(&p, INIT_MASK, "/proc/acpi-not-there", NULL);
        plan_step(&p, INIT_MASK, "/file1/below", NULL);
        plan_step(&p, INIT_MASK, "/proc/scsi", NULL);
        plan_step(&p, INIT_MASK, "/proc/keys", NULL);
        plan_step(&p, INIT_READONLY, "/ro", NULL);
        plan_step(&p, INIT_READONLY, "/proc/sys", NULL);
        plan_step(&p, INIT_READONLY, "/nonesuch", NULL);
        run(&p,
            "ls /secret; touch /secret/x; cat /file1 /file2; stat -c '%F %t:%T' /file1 /file2 /proc/keys; touch /ro/in/x;"
            "echo 1 > /proc/sys/kernel/ns_last_pid");
        ASSERT_STR(l.error, "");
        ASSERT_STR(l.output,
                   "touch: /secret/x: Read-only file system\n"
                   "character special file 1:3\ncharacter special file 1:3\ncharacter special file 1:3\n"
                   "touch: /ro/in/x: Read-only file system\n"
                   "sh: can't create /proc/sys/kernel/ns_last_pid: Read-only file system\n");
}

static void test_root(void) {
        static const InitOp ways[] = { INIT_PIVOT, INIT_MOVE_ROOT };

        TEST("a read-only root, by pivot_root and by moving");
        for (size_t i = 0; i < ELEMENTSOF(ways); i++) {
                const char *args[] = { "sh", "-c",
                                       "touch /x; ls /; grep -c ' / / ' /proc/self/mountinfo; cd ..; pwd",
                                       NULL };
                const char *env[] = { "PATH=/bin", NULL };
                InitPlan p = {};

                reset();
                plan_begin(&p, sandbox_rootfs("empty"), NAMESPACES);
                plan_mount(&p, "proc", "/proc", ATTRS, 0, NULL);
                plan_step(&p, ways[i], NULL, NULL);
                plan_step(&p, INIT_REMOUNT_ROOT, NULL, NULL)->num[0] = MOUNT_ATTR_RDONLY;
                plan_step(&p, INIT_SHARE_ROOT, NULL, NULL)->num[0] = MS_SHARED;
                plan_exec(&p, args, env);
                launch(&p, &l);
                EXPECT("touch: /x: Read-only file system\nbin\ndev\netc\nproc\nsys\ntmp\n0\n/\n");
        }
}

static void test_process(void) {
        InitPlan p = {};
        InitStep *s;

        TEST("rlimits, oom score, nice, affinity, personality, umask, no_new_privs, sysctl, stdio's owner");
        reset();
        plan_step(&p, INIT_OOM_SCORE_ADJ, NULL, NULL)->num[0] = 321;
        plan_begin(&p, rootfs, NAMESPACES);
        plan_mount(&p, "proc", "/proc", ATTRS, 0, NULL);
        plan_step(&p, INIT_SYSCTL, "net/ipv4/ip_forward", "1");
        plan_step(&p, INIT_PIVOT, NULL, NULL);
        s = plan_step(&p, INIT_STDIO_OWNER, NULL, NULL);
        s->num[0] = 77;
        s->num[1] = INIT_KEEP_ID;
        s = plan_step(&p, INIT_RLIMIT, NULL, NULL);
        s->num[0] = RLIMIT_NOFILE;
        s->num[1] = 100;
        s->num[2] = 200;
        plan_step(&p, INIT_SCHEDULER, NULL, NULL)->num[1] = 5;
        plan_step(&p, INIT_IO_PRIORITY, NULL, NULL)->num[0] = 2 << 13 | 6;
        plan_step(&p, INIT_AFFINITY, "0", NULL);
        plan_step(&p, INIT_PERSONALITY, NULL, NULL)->num[0] = 8;
        plan_step(&p, INIT_UMASK, NULL, NULL)->num[0] = 027;
        plan_step(&p, INIT_NO_NEW_PRIVS, NULL, NULL);
        plan_shell(
                &p,
                "cat /proc/self/oom_score_adj; ulimit -n; ulimit -Hn; umask; cat /proc/self/personality;"
                "grep -E 'NoNewPrivs|Cpus_allowed_list' /proc/self/status | tr '\\t' ' '; cat /proc/sys/net/ipv4/ip_forward;"
                "stat -Lc '%u:%g' /proc/self/fd/1; set -- $(cat /proc/self/stat); echo ${19}");
        launch(&p, &l);
        EXPECT("321\n100\n200\n0027\n00000008\nNoNewPrivs: 1\nCpus_allowed_list: 0\n1\n77:0\n5\n");
}

static void test_user(void) {
        static const char *groups[] = { "5", "4294967294", NULL };
        InitPlan p = {};
        InitStep *s;

        TEST("user, groups, five sets of capabilities, verified");
        begin(&p);
        plan_step(&p, INIT_PIVOT, NULL, NULL);
        plan_step(&p, INIT_BOUNDING, NULL, NULL)->num[0] = 0xf0;
        s = plan_step(&p, INIT_USER, NULL, NULL);
        s->num[0] = 1000;
        s->num[1] = 1001;
        s->list[0] = groups;
        s = plan_step(&p, INIT_CAPABILITIES, NULL, NULL);
        s->num[0] = 0x10;
        s->num[1] = 0x30;
        s->num[2] = 0x20;
        s->num[3] = 0xf0;
        plan_shell(&p, "grep -E '^(Uid|Gid|Groups|Cap)' /proc/self/status | tr '\\t' ' '; echo $HOME");
        launch(&p, &l);
        ASSERT_STR(l.error, "");
        ASSERT(strstr(l.output,
                      "Uid: 1000 1000 1000 1000\nGid: 1001 1001 1001 1001\nGroups: 5 4294967294 \n"
                      "CapInh: 0000000000000020\nCapPrm: 0000000000000020\nCapEff: 0000000000000020\n"
                      "CapBnd: 00000000000000f0\nCapAmb: 0000000000000020\n/home/user\n"));
}

static void test_capability_refused(void) {
        InitPlan p = {};
        InitStep *s;

        TEST("capabilities that we have not got");
        begin(&p);
        s = plan_step(&p, INIT_CAPABILITIES, NULL, NULL);
        s->num[1] = 1;
        s = plan_step(&p, INIT_CAPABILITIES, NULL, NULL);
        s->num[1] = 3;
        plan_end(&p, "true");
        launch(&p, &l);
        ASSERT_STR(l.error, "set capabilities: operation not permitted");
}

static void test_seccomp(void) {
        static const struct sock_filter filter[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mkdir, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 42),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        InitPlan p = {};
        InitStep *s;

        TEST("a seccomp filter; unknown flags; a listener");
        for (unsigned i = 0; i < 3; i++) {
                begin(&p);
                s = plan_step(&p, INIT_SECCOMP, NULL, NULL);
                s->blob = filter;
                s->blob_size = sizeof(filter);
                s->num[0] = i == 1 ? 1U << 30 : 0;
                s->num[1] = i == 2;
                run(&p, "mkdir /tmp/x");
                if (i == 1)
                        ASSERT_STR(l.error, "load seccomp filter: invalid argument");
                else
                        ASSERT_STR(l.output,
                                   "mkdir: can't create directory '/tmp/x': No message of desired type\n");
                ASSERT_EQ(l.listened, i == 2);
        }
}

static void test_hooks(void) {
        const char *args[] = { "sh", "-c", "cat > /tmp/state; echo $VAR > /tmp/var", NULL },
                   *env[] = { "VAR=v", "PATH=/bin", NULL };
        const char *fail[] = { "sh", "-c", "echo oops >&2; exit 3", NULL },
                   *slow[] = { "sh", "-c", "sleep 20", NULL };
        const char *daemon[] = { "sh", "-c", "sleep 20 &", NULL };
        InitPlan p = {};
        InitStep *s;

        TEST("hooks: state on stdin, failure, timeout, none there, one that leaves a child behind");
        for (unsigned i = 0; i < 5; i++) {
                begin(&p);
                plan_step(&p, INIT_PIVOT, NULL, NULL);
                s = plan_step(&p, INIT_HOOK, i == 3 ? "/bin/nonesuch" : "/bin/sh", "{\"pid\":");
                s->num[0] = i == 2 ? 1 : 10;
                s->num[1] = s->num[2] = INIT_NO_SLOT;
                s->str[2] = "}";
                s->list[0] = i == 0 ? args : i == 1 ? fail : i == 2 ? slow : i == 4 ? daemon : NULL;
                s->list[1] = env;
                plan_shell(&p, "cat /tmp/state; echo; cat /tmp/var");
                launch(&p, &l);
                if (i == 0)
                        EXPECT("{\"pid\":1}\nv\n");
                else if (i < 4)
                        ASSERT_STR(
                                l.error,
                                i == 1 ? "running hook /bin/sh: exit status 3, output: oops"
                                : i == 2
                                        ? "running hook /bin/sh: hook ran past specified timeout of 1.0s"
                                        : "running hook /bin/nonesuch: exit status 127, output: exec: no such file or directory");
                else
                        ASSERT_STR(l.error, "");
        }
        shell("rm %s/tmp/*", rootfs);
}

static void test_hook_logs(void) {
        const char *args[] = { "sh", "-c", "echo more; echo oops >&2; exit 3", NULL }, *env[] = { "PATH=/bin", NULL };
        _cleanup_free_ char *log = xasprintf("%s/tmp/log", rootfs);
        InitPlan p = {};
        InitStep *s;

        TEST("a hook that writes to a file of the host");
        shell("echo before > %s", log);
        begin(&p);
        plan_step(&p, INIT_OPEN_LOG, log, NULL);
        plan_step(&p, INIT_PIVOT, NULL, NULL);
        s = plan_step(&p, INIT_HOOK, "/bin/sh", "");
        s->num[2] = INIT_NO_SLOT;
        s->str[2] = "";
        s->list[0] = args;
        s->list[1] = env;
        plan_shell(&p, "true");
        launch(&p, &l);
        ASSERT_STR(l.error, "running hook /bin/sh: exit status 3, output: oops");
        shell("test \"$(tr '\\n' , < %s)\" = before,more,", log);
        shell("rm %s", log);
}

static void test_console(void) {
        InitPlan p = {};
        char text[512] = {};
        size_t n = 0;
        ssize_t r;

        TEST("a terminal");
        begin(&p);
        plan_step(&p, INIT_CONSOLE, NULL, NULL);
        p.steps[p.n_steps - 1].num[0] = 33;
        p.steps[p.n_steps - 1].num[1] = 99;
        p.steps[p.n_steps - 1].num[2] = 1000;
        p.steps[p.n_steps - 1].num[3] = INIT_KEEP_ID;
        p.steps[p.n_steps - 1].num[4] = 1;
        plan_step(&p, INIT_MOUNT, "tmpfs", "tmpfs")->str[2] = "/mnt";
        run(&p,
            "stat -Lc '%t:%T %u:%g' /dev/console /proc/self/fd/0; readlink /proc/self/fd/1; stty size 2>/dev/null || "
            "/bin/busybox stty size; /bin/busybox tty; echo x > /dev/tty; grep -c /dev/console /proc/mounts");
        ASSERT_STR(l.error, "");
        ASSERT(l.console >= 0);
        while (n < sizeof(text) - 1 && (r = read(l.console, text + n, sizeof(text) - 1 - n)) > 0)
                n += (size_t) r;
        launch_finish(&l);
        ASSERT_STR(text, "88:0 1000:5\r\n88:0 1000:5\r\n/dev/pts/0\r\n33 99\r\n/dev/pts/0\r\nx\r\n1\r\n");
}

static int knock(void) {
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

        snprintf(a.sun_path, sizeof(a.sun_path), "%s", l.gate_path);
        ASSERT(connect(fd, (struct sockaddr *) &a, sizeof(a)) == 0);
        return fd;
}

static void gate_plan(InitPlan *p, const char *program) {
        const char **args = arena_calloc(&p->arena, 3, sizeof(*args)),
                   **env = arena_calloc(&p->arena, 2, sizeof(*env));
        InitStep *s;

        args[0] = program;
        args[1] = "started";
        env[0] = "PATH=/bin";
        begin(p);
        l.gate = true;
        plan_step(p, INIT_PIVOT, NULL, NULL);
        plan_step(p, INIT_READY, NULL, NULL);
        plan_step(p, INIT_GATE, NULL, NULL);
        if (!program)
                return;
        s = plan_step(p, INIT_EXEC, NULL, NULL);
        s->list[0] = args;
        s->list[1] = env;
}

static void test_gate(void) {
        InitPlan p = {};
        int fd;

        TEST("the gate: few descriptors, little memory, probes, start, errors");
        gate_plan(&p, "/bin/echo");
        l.extra_fds = 20;
        launch(&p, &l);
        ASSERT(l.ready);
        fd = knock(); /* waits in accept() by then */
        close(fd);
        usleep(100000);
        fprintf(stderr, "%s",
                shell_output(
                        "grep -E 'VmRSS|RssAnon|RssFile|RssShmem|VmSize' /proc/%d/status; ls -l /proc/%d/fd | grep -o '[0-9]* -> .*'",
                        l.pid, l.pid));
        ASSERT_STR(shell_output("ls /proc/%d/fd", l.pid), "0\n1\n2\n5\n");
        launch_start(&l);
        EXPECT("started\n");

        gate_plan(&p, "/nonesuch");
        launch(&p, &l);
        launch_start(&l);
        ASSERT_STR(l.error, "exec: \"/nonesuch\": no such file or directory");

        gate_plan(&p, NULL);
        launch(&p, &l);
        launch_start(&l);
        ASSERT_STR(l.error, "process not set in config.json, there is nothing to start");

        gate_plan(&p, "/bin/echo");
        launch(&p, &l);
        ASSERT_EQ(kill(l.pid, SIGKILL), 0);
        launch_finish(&l);
        ASSERT(WIFSIGNALED(l.status));
}

static void test_enter(void) {
        static Launch inner;
        InitPlan p = {};
        InitStep *s;
        int pidfd;

        TEST("a further process in a container that runs");
        gate_plan(&p, "/bin/echo");
        launch(&p, &l);
        pidfd = pidfd_open(l.pid, 0);
        ASSERT(pidfd >= 0);
        inner = (Launch){ .target = pidfd };
        plan_step(&p, INIT_OOM_SCORE_ADJ, NULL, NULL)->num[0] = 55;
        plan_step(&p, INIT_ENTER, NULL, NULL)->num[0] = NAMESPACES;
        plan_step(&p, INIT_FORK, NULL, NULL);
        s = plan_step(&p, INIT_USER, NULL, NULL);
        s->num[0] = s->num[1] = 1000;
        plan_step(&p, INIT_CWD, "/etc", NULL);
        plan_shell(
                &p,
                "pwd; echo $$ $HOME; cat /proc/1/comm /proc/self/oom_score_adj; ls /proc/1/fd/; ls /proc/1/root/; id -u");
        launch(&p, &inner);
        ASSERT_STR(inner.error, "");
        ASSERT_STR(
                inner.output,
                "/etc\n2 /home/user\nocirt-sd-init\n55\n"
                "ls: can't open '/proc/1/fd/': Permission denied\nls: /proc/1/root/: Permission denied\n1000\n");
        close(pidfd);
        launch_start(&l);
        EXPECT("started\n");
}

static void test_userns(void) {
        static const char *mode[] = { "mode=755", NULL };
        InitPlan p = {};
        InitStep *s;

        TEST("a user namespace: maps, devices by bind, masks, cgroup namespace, sysctl, time offsets");
        reset();
        l.map = true;
        shell("chmod 755 %s && chown -R 100000:100000 %s", sandbox_path("."), rootfs);
        plan_step(&p, INIT_USERNS, NULL, NULL);
        plan_step(&p, INIT_UNSHARE, NULL, NULL)->num[0] = NAMESPACES | CLONE_NEWTIME;
        s = plan_step(&p, INIT_TIME_OFFSETS, NULL, NULL);
        s->num[0] = 86400000;
        plan_step(&p, INIT_FORK, NULL, NULL);
        plan_step(&p, INIT_SETSID, NULL, NULL);
        plan_step(&p, INIT_ROOT_PROPAGATION, NULL, NULL)->num[0] = MS_SLAVE | MS_REC;
        plan_step(&p, INIT_ROOTFS, rootfs, NULL)->num[0] = MS_SLAVE | MS_REC;
        plan_mount(&p, "proc", "/proc", ATTRS, INIT_NO_TARGET_SYMLINK, NULL);
        plan_mount(&p, "sysfs", "/sys", ATTRS | MOUNT_ATTR_RDONLY, INIT_HOST_FALLBACK, NULL);
        plan_mount(&p, "tmpfs", "/dev", MOUNT_ATTR_NOSUID, 0, mode);
        s = plan_step(&p, INIT_DEVICE_BIND, "/dev/null", NULL);
        s->num[0] = 'c';
        s->num[1] = 1;
        s->num[2] = 3;
        plan_step(&p, INIT_WAIT_CGROUP, NULL, NULL);
        plan_step(&p, INIT_UNSHARE, NULL, NULL)->num[0] = CLONE_NEWCGROUP;
        s = plan_step(&p, INIT_CGROUP, "/sys/fs/cgroup", "/sys/fs/cgroup");
        s->num[0] = ATTRS | MOUNT_ATTR_RDONLY;
        s->num[1] = 1;
        plan_step(&p, INIT_SYSCTL, "net/ipv4/ip_forward", "1");
        plan_step(&p, INIT_MASK, "/proc/keys", NULL);
        plan_step(&p, INIT_MASK, "/etc", NULL);
        run(&p,
            "id -u; id -g; cat /proc/self/uid_map | tr -s ' '; echo x > /dev/null; stat -c %t:%T /dev/null /proc/keys; ls /etc;"
            "ls /sys/fs/cgroup/cgroup.procs; cat /proc/sys/net/ipv4/ip_forward; grep ' /sys/fs/cgroup ' /proc/mounts;"
            "test $(cut -d. -f1 /proc/uptime 2>/dev/null || /bin/busybox cut -d. -f1 /proc/uptime) -gt 86400000 && echo late");
        EXPECT("0\n0\n 0 100000 65536\n1:3\n1:3\n/sys/fs/cgroup/cgroup.procs\n1\n"
               "cgroup /sys/fs/cgroup cgroup2 ro,nosuid,nodev,noexec,relatime 0 0\nlate\n");
        shell("chown -R 0:0 %s", rootfs);
}

static void test_namespaces(void) {
        InitPlan p = {};
        InitStep *s;

        TEST("joined namespaces; files that are none");
        reset();
        s = plan_step(&p, INIT_OPEN_NS, "/proc/self/ns/net", NULL);
        s->num[1] = CLONE_NEWNET;
        plan_step(&p, INIT_JOIN, NULL, NULL)->num[1] = CLONE_NEWNET;
        plan_plain(&p, rootfs, "echo in");
        launch(&p, &l);
        EXPECT("in\n");

        reset();
        s = plan_step(&p, INIT_OPEN_NS, "/proc/self/ns/net", NULL);
        s->num[1] = CLONE_NEWIPC;
        plan_plain(&p, rootfs, "echo in");
        launch(&p, &l);
        ASSERT_STR(l.error, "open namespace /proc/self/ns/net: not a ipc namespace");

        reset();
        s = plan_step(&p, INIT_OPEN_NS, "/etc/passwd", NULL);
        s->num[1] = CLONE_NEWIPC;
        plan_plain(&p, rootfs, "echo in");
        launch(&p, &l);
        ASSERT_STR(l.error, "open namespace /etc/passwd: not a namespace");
}

static void test_hang_up(void) {
        InitPlan p = {};

        TEST("a launcher that dies takes the helper with it");
        begin(&p);
        l.hang_up = true;
        run(&p, "echo still there");
        ASSERT_STR(l.output, "");
        ASSERT_EQ(l.status, W_EXITCODE(1, 0));
}

int main(void) {
        sandbox_enter();
        rootfs = sandbox_rootfs("rootfs");
        test_plain();
        test_names();
        test_exec_errors();
        test_mounts();
        test_slots();
        test_idmap();
        test_symlinks();
        test_joined_mounts();
        test_copy_up();
        test_overlay();
        test_overlay_comma();
        test_masks();
        test_root();
        test_process();
        test_user();
        test_capability_refused();
        test_seccomp();
        test_hooks();
        test_hook_logs();
        test_console();
        test_gate();
        test_enter();
        test_userns();
        test_namespaces();
        test_hang_up();
        return 0;
}
