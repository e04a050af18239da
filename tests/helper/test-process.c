/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "steps.h"

/* What the steps of the process do, seen from inside a container. */

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
        plan_step(&p, INIT_CONTROL_TERMINAL, NULL, NULL);
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

int main(void) {
        sandbox_enter();
        rootfs = sandbox_rootfs("rootfs");
        test_process();
        test_user();
        test_capability_refused();
        test_seccomp();
        test_console();
        return 0;
}
