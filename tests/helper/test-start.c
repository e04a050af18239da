/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "steps.h"

/* From a plan to a program that runs: names, namespaces, hooks, and the gate at which it waits. */

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

/* That of another run on this computer stays for a while. */
static char *keyring_name(const char *what) {
        return xasprintf("_ses.%s.%d", what, getpid());
}

static void test_names(void) {
        _cleanup_free_ char *keyring = keyring_name("test");
        InitPlan p = {};

        TEST("hostname, domainname, loopback, session, keyring");
        reset();
        plan_begin(&p, rootfs, NAMESPACES);
        init_add_hostname(&p, NULL)->name = "box";
        init_add_domainname(&p, NULL)->name = "example";
        init_add_loopback(&p, NULL);
        init_add_keyring(&p, NULL)->name = keyring;
        plan_mount(&p, "proc", "/proc", ATTRS, 0, NULL);
        run(&p,
            "hostname; cat /proc/sys/kernel/domainname; ip link show lo | grep -c UP; grep -q _ses.test /proc/keys && echo 1");
        EXPECT("box\nexample\n1\n1\n");
}

/* Somebody's, which can be found by its name; a descriptor that is closed when it may go. */
static int make_keyring(const char *name, uid_t uid, pid_t *ret_pid) {
        int ready[2], stay[2];
        char c;

        ASSERT(pipe2(ready, O_CLOEXEC) == 0 && pipe2(stay, O_CLOEXEC) == 0);
        *ret_pid = fork();
        if (*ret_pid == 0) {
                long ring;

                (void) close(stay[1]);
                if (setresuid(uid, uid, uid) < 0)
                        _exit(1);
                ring = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name);
                (void) syscall(SYS_keyctl, KEYCTL_SETPERM, ring, 0x3f3f3f3fUL);
                _exit(write(ready[1], "", 1) != 1 || read(stay[0], &c, 1) < 0);
        }
        (void) close(ready[1]);
        (void) close(stay[0]);
        ASSERT_EQ(read(ready[0], &c, 1), 1);
        (void) close(ready[0]);
        return stay[1];
}

static void join_keyring(const char *name, bool shared) {
        InitPlan p = {};

        reset();
        plan_begin(&p, rootfs, NAMESPACES);
        *init_add_keyring(&p, NULL) = (InitKeyring){ .name = name, .shared = shared };
        plan_mount(&p, "proc", "/proc", ATTRS, 0, NULL);
        run(&p, "sed -n 's/.*keyring *//p' /proc/keys");
}

static void test_keyring(void) {
        static const struct {
                uid_t uid;
                bool shared, joins;
        } cases[] = { { 0, false, false }, { 0, true, true }, { 1000, false, false }, { 1000, true, false } };

        TEST("a session keyring that was there is joined if it is to be shared, and is ours");
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *number = xasprintf("%zu", i), *name = keyring_name(number),
                        *shows = xasprintf("%s: empty\n", name);
                pid_t pid;
                int stay = make_keyring(name, cases[i].uid, &pid);

                join_keyring(name, cases[i].shared);
                if (cases[i].joins)
                        ASSERT(strstr(l.output, shows) && l.error[0] == '\0');
                else
                        ASSERT_STR(l.error, "join session keyring: somebody else has made it");
                (void) close(stay);
                ASSERT_EQ(waitpid(pid, NULL, 0), pid);
        }
        TEST("one without a name shows nothing, and is joined by nobody");
        join_keyring(NULL, true);
        ASSERT(strstr(l.output, "_ses: empty\n"));
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
                { "/bin/noformat", "exec: \"/bin/noformat\": neither a program for this machine nor a script that begins with #!: "
                                   "exec format error" },
        };

        TEST("exec errors in Go's words");
        shell("echo x > %s/bin/noformat; chmod 755 %s/bin/noformat", rootfs, rootfs);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const char *args[] = { cases[i].arg, NULL },
                           *env[] = { "PATH=/usr/bin:relative::/bin", NULL };
                InitPlan p = {};

                begin(&p);
                init_add_pivot(&p, NULL);
                plan_exec(&p, args, env);
                launch(&p, &l);
                ASSERT_STR(l.error, cases[i].error);
                ASSERT_EQ(WEXITSTATUS(l.status), 1);
        }
}

/* Into the namespace at path; all others are new. */
static void join(const char *path, int type) {
        InitPlan p = {};

        reset();
        *init_add_open_ns(&p, NULL) = (InitOpenNs){ .path = path, .slot = 1, .type = type };
        *init_add_join(&p, NULL) = (InitJoin){ .slot = 1, .type = type };
        plan_begin(&p, rootfs, NAMESPACES & ~type);
        plan_mount(&p, "proc", "/proc", ATTRS, 0, NULL);
        run(&p, "readlink /proc/self/ns/net");
}

static void test_namespaces(void) {
        const char *net = sandbox_path("net");
        _cleanup_free_ char *inside = NULL;

        TEST("joined namespaces; files that are none");
        shell("touch %s && unshare --net=%s true", net, net);
        inside = shell_output("nsenter --net=%s readlink /proc/self/ns/net", net);
        join(net, CLONE_NEWNET);
        EXPECT(inside);
        join("/proc/self/ns/net", CLONE_NEWIPC);
        ASSERT_STR(l.error, "open namespace /proc/self/ns/net: not a ipc namespace");
        join("/etc/passwd", CLONE_NEWIPC);
        ASSERT_STR(l.error, "open namespace /etc/passwd: not a namespace");
        shell("umount %s", net);
}

static void test_userns(void) {
        static const char *mode[] = { "mode=755", NULL };
        InitPlan p = {};

        TEST("a user namespace: maps, devices by bind, masks, cgroup namespace, sysctl, time offsets");
        reset();
        l.map = true;
        shell("chmod 755 %s && chown -R 100000:100000 %s", sandbox_path("."), rootfs);
        init_add_userns(&p, NULL);
        init_add_unshare(&p, NULL)->flags = NAMESPACES | CLONE_NEWTIME;
        init_add_time_offsets(&p, NULL)->boottime = 86400000;
        init_add_fork(&p, NULL);
        init_add_setsid(&p, NULL);
        init_add_root_propagation(&p, NULL)->flags = MS_SLAVE | MS_REC;
        *init_add_rootfs(&p, NULL) = (InitRootfs){ .path = rootfs, .propagation = MS_SLAVE | MS_REC };
        init_add_host_null(&p, NULL)->slot = PLAN_NULL_SLOT;
        plan_mount(&p, "proc", "/proc", ATTRS, INIT_NO_TARGET_SYMLINK, NULL);
        plan_mount(&p, "sysfs", "/sys", ATTRS | MOUNT_ATTR_RDONLY, INIT_HOST_FALLBACK, NULL);
        plan_mount(&p, "tmpfs", "/dev", MOUNT_ATTR_NOSUID, 0, mode);
        *init_add_device_bind(&p, NULL) = (InitDeviceBind){
                .path = "/dev/null",
                .type = 'c',
                .major = 1,
                .minor = 3,
        };
        init_add_wait_cgroup(&p, NULL);
        init_add_unshare(&p, NULL)->flags = CLONE_NEWCGROUP;
        *init_add_cgroup(&p, NULL) = (InitCgroup){
                .target = "/sys/fs/cgroup",
                .host = "/sys/fs/cgroup",
                .attrs = ATTRS | MOUNT_ATTR_RDONLY,
                .own_namespace = 1,
        };
        *init_add_sysctl(&p, NULL) = (InitSysctl){ .path = "net/ipv4/ip_forward", .value = "1" };
        plan_mask(&p, "/proc/keys", NULL);
        plan_mask(&p, "/etc", NULL);
        run(&p,
            "id -u; id -g; cat /proc/self/uid_map | tr -s ' '; echo x > /dev/null; stat -c %t:%T /dev/null /proc/keys; ls /etc;"
            "ls /sys/fs/cgroup/cgroup.procs; cat /proc/sys/net/ipv4/ip_forward; grep ' /sys/fs/cgroup ' /proc/mounts;"
            "test $(cut -d. -f1 /proc/uptime 2>/dev/null || /bin/busybox cut -d. -f1 /proc/uptime) -gt 86400000 && echo late");
        EXPECT("0\n0\n 0 100000 65536\n1:3\n1:3\n/sys/fs/cgroup/cgroup.procs\n1\n"
               "cgroup /sys/fs/cgroup cgroup2 ro,nosuid,nodev,noexec,relatime 0 0\nlate\n");
        shell("chown -R 0:0 %s", rootfs);
}

static void test_hooks(void) {
        const char *args[] = { "sh", "-c", "cat > /tmp/state; echo $VAR > /tmp/var", NULL },
                   *env[] = { "VAR=v", "PATH=/bin", NULL };
        const char *fail[] = { "sh", "-c", "echo oops >&2; exit 3", NULL },
                   *slow[] = { "sh", "-c", "sleep 20", NULL };
        const char *daemon[] = { "sh", "-c", "sleep 20 &", NULL };
        InitPlan p = {};

        TEST("hooks: state on stdin, failure, timeout, none there, one that leaves a child behind");
        for (unsigned i = 0; i < 5; i++) {
                begin(&p);
                init_add_pivot(&p, NULL);
                *init_add_hook(&p, NULL) = (InitHook){
                        .path = i == 3 ? "/bin/nonesuch" : "/bin/sh",
                        .state_head = "{\"pid\":",
                        .state_tail = "}",
                        .timeout = i == 2 ? 1 : 600,
                        .args = i == 0 ? args : i == 1 ? fail : i == 2 ? slow : i == 4 ? daemon : NULL,
                        .env = env,
                };
                plan_shell(&p, "cat /tmp/state; echo; cat /tmp/var");
                launch(&p, &l);
                if (i == 0)
                        EXPECT("{\"pid\":1}\nv\n");
                else if (i < 4)
                        ASSERT_STR(
                                l.error,
                                i == 1 ? "hook /bin/sh: exit status 3: oops"
                                : i == 2
                                        ? "hook /bin/sh: timed out after 1 s"
                                        : "hook /bin/nonesuch: exit status 127: no such file or directory");
                else
                        ASSERT_STR(l.error, "");
        }
        shell("rm %s/tmp/*", rootfs);
}

static void test_hook_logs(void) {
        const char *args[] = { "sh", "-c", "echo more; echo oops >&2; exit 3", NULL }, *env[] = { "PATH=/bin", NULL };
        _cleanup_free_ char *log = xasprintf("%s/tmp/log", rootfs);
        InitPlan p = {};

        TEST("a hook that writes to a file of the host");
        shell("echo before > %s", log);
        begin(&p);
        *init_add_open_log(&p, NULL) = (InitOpenLog){ .path = log, .slot = 1 };
        init_add_pivot(&p, NULL);
        *init_add_hook(&p, NULL) = (InitHook){
                .path = "/bin/sh",
                .state_head = "",
                .state_tail = "",
                .stdout_ = 1,
                .args = args,
                .env = env,
        };
        plan_shell(&p, "true");
        launch(&p, &l);
        ASSERT_STR(l.error, "hook /bin/sh: exit status 3: oops");
        shell("test \"$(tr '\\n' , < %s)\" = before,more,", log);
        shell("rm %s", log);
}

static void test_start_hook(void) {
        const char *args[] = { "sh", "-c", "for i in /proc/1/fd/*; do if test -d $i || readlink $i | grep -q socket; then "
                               "readlink $i; fi; done; grep -c memfd:plan /proc/1/maps; exit 3", NULL };
        const char *env[] = { "PATH=/bin", NULL };
        InitPlan p = {};

        TEST("a hook of the container's sees no directory, no socket and no earlier step of ours");
        begin(&p);
        plan_mount(&p, "proc", "/proc", 0, 0, NULL);
        init_add_pivot(&p, NULL);
        init_add_ready(&p, NULL);
        *init_add_hook(&p, NULL) = (InitHook){
                .path = "/bin/sh",
                .state_head = "",
                .state_tail = "",
                .args = args,
                .env = env,
        };
        launch(&p, &l);
        ASSERT_STR(l.error, "hook /bin/sh: exit status 3: 0");
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

        args[0] = program;
        args[1] = "started";
        env[0] = "PATH=/bin";
        begin(p);
        l.gate = true;
        init_add_make_gate(p, NULL);
        init_add_pivot(p, NULL);
        init_add_ready(p, NULL);
        init_add_gate(p, NULL);
        if (!program)
                return;
        *init_add_exec(p, NULL) = (InitExec){ .args = args, .env = env };
}

static void test_gate(void) {
        InitPlan p = {};
        char byte;
        int fd;

        TEST("the gate: few descriptors, probes, start, errors");
        gate_plan(&p, "/bin/echo");
        l.extra_fds = 20;
        launch(&p, &l);
        ASSERT_STR(l.error, "");
        ASSERT(l.ready);
        fd = knock();
        shutdown(fd, SHUT_WR);
        ASSERT_EQ(read(fd, &byte, 1), 0); /* it has hung up, and waits again */
        close(fd);
        ASSERT_STR(shell_output("ls /proc/%d/fd | wc -l", l.pid), "4\n"); /* standard ones and the gate */
        ASSERT_STR(shell_output("grep -c memfd:plan /proc/%d/maps", l.pid), "0\n"); /* what is done is forgotten */
        launch_start(&l);
        EXPECT("started\n");

        gate_plan(&p, "/nonesuch");
        launch(&p, &l);
        launch_start(&l);
        ASSERT_STR(l.error, "exec: \"/nonesuch\": no such file or directory");

        gate_plan(&p, NULL);
        launch(&p, &l);
        launch_start(&l);
        ASSERT_STR(l.error, "there is nothing to start: config.json has no process.args");

        gate_plan(&p, "/bin/echo");
        launch(&p, &l);
        ASSERT_EQ(kill(l.pid, SIGKILL), 0);
        launch_finish(&l);
        ASSERT(WIFSIGNALED(l.status));
}

static void test_enter(void) {
        static Launch inner;
        InitPlan p = {};
        int pidfd;

        TEST("a further process in a container that runs");
        gate_plan(&p, "/bin/echo");
        launch(&p, &l);
        pidfd = pidfd_open(l.pid, 0);
        ASSERT(pidfd >= 0);
        inner = (Launch){ .target = pidfd };
        init_add_oom_score_adj(&p, NULL)->value = 55;
        init_add_enter(&p, NULL)->flags = NAMESPACES;
        *init_add_user(&p, NULL) = (InitUser){ .uid = 1000, .gid = 1000 };
        init_add_cwd(&p, NULL)->path = "/etc";
        init_add_fork_inside(&p, NULL);
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

static void test_pid_namespace(void) {
        InitPlan p = {};

        TEST("a procfs of another's pid namespace, with a kernel that can be told which, and an older one");
        gate_plan(&p, "/bin/echo");
        launch(&p, &l);
        for (int older = 0; older <= 1; older++) {
                _cleanup_free_ char *path = xasprintf("/proc/%d/ns/pid", l.pid);
                static Launch other;

                other = (Launch){ .older_kernel = older };
                *init_add_open_ns(&p, NULL) = (InitOpenNs){ .path = path, .slot = 1, .type = CLONE_NEWPID };
                plan_begin(&p, rootfs, NAMESPACES & ~CLONE_NEWPID);
                plan_mount(&p, "proc", "/proc", ATTRS, 0, NULL)->pid_namespace = 1;
                *init_add_join(&p, NULL) = (InitJoin){ .slot = 1, .type = CLONE_NEWPID };
                init_add_pivot(&p, NULL);
                init_add_fork_inside(&p, NULL);
                plan_shell(&p, "cat /proc/1/comm; echo $$; test /proc/self/ns/pid -ef /proc/$$/ns/pid; "
                               "readlink /proc/self | grep -c '[2-9]'; grep -c proc /proc/mounts");
                launch(&p, &other);
                ASSERT_STR(other.error, "");
                ASSERT(startswith(other.output, "ocirt-sd-init\n"));
                ASSERT(strstr(other.output, "\n1\n1\n"));
        }
        launch_start(&l);
        EXPECT("started\n");
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
        test_keyring();
        test_exec_errors();
        test_namespaces();
        test_userns();
        test_hooks();
        test_hook_logs();
        test_start_hook();
        test_gate();
        test_enter();
        test_pid_namespace();
        test_hang_up();
        return 0;
}
