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

        TEST("rlimits, oom score, nice, affinity, personality, umask, no_new_privs, sysctl, stdio's owner");
        reset();
        init_add_oom_score_adj(&p, NULL)->value = 321;
        plan_begin(&p, rootfs, NAMESPACES);
        plan_mount(&p, "proc", "/proc", ATTRS, 0, NULL);
        *init_add_sysctl(&p, NULL) = (InitSysctl){ .path = "net/ipv4/ip_forward", .value = "1" };
        init_add_pivot(&p, NULL);
        *init_add_stdio_owner(&p, NULL) = (InitStdioOwner){ .uid = 77, .gid = INIT_KEEP_ID };
        *init_add_rlimit(&p, NULL) = (InitRlimit){ .resource = RLIMIT_NOFILE, .soft = 100, .hard = 200 };
        init_add_scheduler(&p, NULL)->nice = 5;
        init_add_io_priority(&p, NULL)->value = 2 << 13 | 6;
        init_add_affinity(&p, NULL)->cpus = "0";
        init_add_personality(&p, NULL)->persona = 8;
        init_add_umask(&p, NULL)->mask = 027;
        init_add_no_new_privs(&p, NULL);
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

        TEST("user, groups, five sets of capabilities, verified");
        begin(&p);
        init_add_pivot(&p, NULL);
        init_add_bounding(&p, NULL)->caps = 0xf0;
        *init_add_user(&p, NULL) = (InitUser){ .uid = 1000, .gid = 1001, .groups = groups };
        *init_add_capabilities(&p, NULL) = (InitCapabilities){
                .effective = 0x10,
                .permitted = 0x30,
                .inheritable = 0x20,
                .ambient = 0xf0,
        };
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

        TEST("capabilities that we have not got");
        begin(&p);
        init_add_capabilities(&p, NULL)->permitted = 1;
        init_add_capabilities(&p, NULL)->permitted = 3;
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

        TEST("a seccomp filter; unknown flags; a listener");
        for (unsigned i = 0; i < 3; i++) {
                begin(&p);
                *init_add_seccomp(&p, NULL) = (InitSeccomp){
                        .flags = i == 1 ? 1U << 30 : 0,
                        .listener = i == 2,
                        .filter = { filter, sizeof(filter) },
                };
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
        *init_add_console(&p, NULL) = (InitConsole){
                .height = 33,
                .width = 99,
                .uid = 1000,
                .gid = INIT_KEEP_ID,
                .bind = true,
        };
        init_add_control_terminal(&p, NULL);
        *init_add_mount(&p, NULL) = (InitMount){ .type = "tmpfs", .source = "tmpfs", .target = "/mnt" };
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
