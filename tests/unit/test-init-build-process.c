/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include "init-build-fixture.h"

/* Lets nothing pass but execve(2), or not even that. */
static const struct sock_filter killing[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execve, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
};
static const uint8_t filter[8] = { 6, 0, 0, 0, 0, 0, 0xff, 0x7f };

static void test_hooks(void) {
        _cleanup_built_ Built b = BUILD(
                .facts = root, .top = ",\"annotations\":{\"a\\\"b\":\"c\"},\"hooks\":{" HOOK("createRuntime") ","
                HOOK("createContainer") ",\"startContainer\":[{\"path\":\"/bin/s\",\"timeout\":3,\"args\":[\"s\"]}]}");
        const InitStep *created = &b.plan.steps[first(&b.plan, INIT_RUNTIME_HOOKS) + 1];
        const InitStep *started = &b.plan.steps[first(&b.plan, INIT_GATE) + 1];
        const InitHook *create = &created->hook, *start = &started->hook;

        TEST("hooks: before the pivot, and behind the gate");
        ASSERT_EQ(created->op, INIT_HOOK);
        ASSERT_EQ(created[1].op, INIT_PIVOT);
        ASSERT_STR(create->state_head, "{\"ociVersion\":\"1.3.0\",\"id\":\"c1\",\"status\":\"creating\",\"pid\":");
        ASSERT_STR(create->state_tail, ",\"bundle\":\"/b\",\"annotations\":{\"a\\\"b\":\"c\"}}");
        ASSERT(!create->args);
        ASSERT(create->env && !create->env[0]);
        ASSERT_EQ(started->op, INIT_HOOK);
        ASSERT_EQ(start->timeout, 3);
        ASSERT(strstr(start->state_head, "\"status\":\"created\""));
        ASSERT_STR(start->args[0], "s");
        ASSERT_STR(start->env[0], "A=1");
        ASSERT_EQ(count(&b.plan, INIT_HOOK), 2);
}

#define SECCOMP(action)                                                                             \
        ",\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerPath\":\"/l\",\"syscalls\":[" \
        "{\"names\":[\"mknod\"],\"action\":\"" action "\"}]}"

static void test_process(void) {
        const Request filtered = { .seccomp = filter, .seccomp_size = sizeof(filter) };
        const Request nothing_passes = { .seccomp = killing, .seccomp_size = sizeof(killing) };

        TEST("all of a process");
        {
                HostFacts facts = root;

                facts.apparmor = facts.selinux = true;
                _cleanup_built_ Built b = BUILD(
                        .facts = facts, .request = filtered, .linux_ = SECCOMP("SCMP_ACT_ERRNO")
                                ",\"personality\":{\"domain\":\"LINUX32\"},"
                                "\"memoryPolicy\":{\"mode\":\"MPOL_BIND\",\"nodes\":\"0\","
                                "\"flags\":[\"MPOL_F_STATIC_NODES\"]}",
                        .process = ",\"terminal\":true,\"consoleSize\":{\"height\":3,\"width\":4},"
                                   "\"apparmorProfile\":\"p\","
                                   "\"selinuxLabel\":\"l\","
                                   "\"user\":{\"uid\":7,\"gid\":8,\"umask\":63,\"additionalGids\":[9,10]},"
                                   "\"scheduler\":{\"policy\":\"SCHED_BATCH\",\"nice\":-1},"
                                   "\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":4},"
                                   "\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":1,\"hard\":18446744073709551615}],"
                                   "\"capabilities\":{\"bounding\":[\"CAP_KILL\"],\"permitted\":[\"CAP_KILL\"]}");

                assert_has(&b, "console height=3 width=4 uid=7 gid=-1 bind");
                assert_contains(&b, "pivot\n"
                                    "lock-mounts\n"
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
                                        "find effective=none args=[sh] env=[A=1]\n"
                                        "rlimit resource=RLIMIT_CORE soft=1 hard=infinity\n"
                                        "seccomp flags=spec-allow\n"
                                        "capabilities effective=none permitted=kill inheritable=none ambient=none\n"
                                        "ready\n"
                                        "gate\n"
                                        "exec args=[sh] env=[A=1]\n");
        }
        TEST("with no_new_privs the filter comes before anybody can see the process, if it lets pass what comes after");
        {
                _cleanup_built_ Built b = BUILD(.facts = root, .request = filtered,
                                                .process = ",\"noNewPrivileges\":true",
                                                .linux_ = SECCOMP("SCMP_ACT_ERRNO"),
                                                .top = ",\"hooks\":{" HOOK("startContainer") "}");

                ASSERT_EQ(first(&b.plan, INIT_SECCOMP) + 1, first(&b.plan, INIT_READY));
        }
        TEST("else it comes last, unless somebody has to be sent its listener");
        {
                _cleanup_built_ Built b = BUILD(.facts = root, .request = nothing_passes,
                                                .process = ",\"noNewPrivileges\":true",
                                                .linux_ = SECCOMP("SCMP_ACT_ERRNO"),
                                                .top = ",\"hooks\":{" HOOK("startContainer") "}");

                ASSERT_EQ(first(&b.plan, INIT_SECCOMP) + 1, first(&b.plan, INIT_HOOK));
                assert_contains(&b, "gate\nseccomp flags=spec-allow of-hooks\nhook ");
                assert_contains(&b, "env=[A=1]\nseccomp flags=spec-allow\nexec ");
        }
        {
                _cleanup_built_ Built b = BUILD(.facts = root, .request = nothing_passes,
                                                .process = ",\"noNewPrivileges\":true",
                                                .linux_ = SECCOMP("SCMP_ACT_NOTIFY"));

                ASSERT_EQ(first(&b.plan, INIT_SECCOMP) + 1, first(&b.plan, INIT_READY));
                assert_has(&b, "seccomp listener-path=/l flags=spec-allow listener");
        }
        TEST("a filter with which nothing could be started");
        {
                const Request nothing = { .seccomp = killing + 3, .seccomp_size = sizeof(*killing) };

                REFUSE(EINVAL, "linux.seccomp: forbids execve(2)", .facts = root, .request = nothing,
                       .linux_ = SECCOMP("SCMP_ACT_ERRNO"));
        }
        TEST("without it, what it takes to get into a pid namespace must pass");
        {
                REFUSE(EOPNOTSUPP, "linux.seccomp: does not let pass clone(2)", .facts = root, .request = nothing_passes,
                       .linux_ = SECCOMP("SCMP_ACT_ERRNO"), .namespaces = JOINED("pid"));
        }
        TEST("the environment: the last of a name counts; sockets that systemd passed");
        {
                _cleanup_built_ Built b = BUILD(
                        .facts = root, .request = { .listen_fds = 2, .listen_fd_names = "a:b", .start_now = true },
                        .env = "\"B=1\",\"A=1\",\"LISTEN_PID=7\",\"B=\",\"AB=1\",\"A=2=\"");

                assert_contains(&b, "ready\nexec listen args=[sh] "
                                    "env=[LISTEN_PID=7,B=,AB=1,A=2=,LISTEN_FDS=2,LISTEN_FDNAMES=a:b]\n");
        }
        TEST("a limit of fewer files than we need waits for the exec; its hard limit is raised while it can be");
        {
                static const char limits[] = ",\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":20,\"hard\":40}]";
                _cleanup_built_ Built enough = BUILD(.facts = root, .process = limits);
                _cleanup_built_ Built few = BUILD(.facts = root, .process = limits, .request = { .preserve_fds = 2 });

                ASSERT_ORDER(&enough, INIT_RLIMIT, INIT_CAPABILITIES);
                ASSERT_ORDER(&few, INIT_RAISE_RLIMIT, INIT_CAPABILITIES, INIT_GATE, INIT_RLIMIT, INIT_EXEC);
        }
        TEST("groups of the caller, and a setgroups(2) that may be denied");
        {
                static const HostFacts user = { .rootless = true, .uid = 1000, .gid = 1000 };
                static const HostFacts podman = { .rootless = true, .own_userns = true, .privileged = true };
                static const HostFacts denied = { .rootless = true, .own_userns = true, .privileged = true,
                                                  .setgroups_denied = true };
                static const char groups[] = ",\"user\":{\"uid\":0,\"gid\":0,\"additionalGids\":[7]}";
                _cleanup_built_ Built kept = BUILD(.facts = user, .namespaces = USER, .linux_ = OWN_MAPS,
                                                   .process = groups,
                                                   .top = ",\"annotations\":{\"run.oci.keep_original_groups\":\"1\"}");
                _cleanup_built_ Built own = BUILD(.facts = user, .namespaces = USER, .linux_ = OWN_MAPS);
                _cleanup_built_ Built mapped = BUILD(.facts = user, .namespaces = USER, .linux_ = MAPS, .process = groups);
                _cleanup_built_ Built inside = BUILD(.facts = podman, .process = groups);
                _cleanup_built_ Built engine = BUILD(.facts = denied, .process = groups);

                assert_has(&kept, "user uid=0 gid=0 keep-groups lenient-groups groups=[7]");
                assert_has(&own, "user uid=0 gid=0 lenient-groups groups=[]");
                REFUSE(EOPNOTSUPP, "process.user.additionalGids", .facts = user, .namespaces = USER, .linux_ = OWN_MAPS,
                       .process = groups);
                assert_has(&mapped, "user uid=0 gid=0 groups=[7]");
                assert_has(&inside, "user uid=0 gid=0 groups=[7]");
                assert_has(&engine, "user uid=0 gid=0 lenient-groups groups=[7]");
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
                           "\"execCPUAffinity\":{\"initial\":\"0\",\"final\":\"0-1\"}",
                .cwd = "/x",
                .top = ",\"hooks\":{" HOOK("startContainer") "}",
        };
        Spec *spec = parse(&config);
        ExecRequest request = { .process = spec->process, .keyring = "_ses.c1.7", .seccomp = filter,
                                .seccomp_size = sizeof(filter),
                                .namespaces = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUSER };

        TEST("a further process, whole");
        ASSERT_EQ(init_plan_build_exec(spec, &request, &facts, &plan, &error), 0);
        init_plan_print(&plan, &text);
        ASSERT_STR(text.s,
                   "oom-score-adj value=1\n"
                   "wait-cgroup\n"
                   "affinity cpus=0-1\n"
                   "enter flags=mount,pid,user\n"
                   "become-root\n"
                   "setsid\n"
                   "keyring name=_ses.c1.7 shared in-userns\n"
                   "console height=0 width=0 uid=0 gid=-1\n"
                   "umask mask=022\n"
                   "bounding caps=none\n"
                   "user uid=0 gid=0 groups=[]\n"
                   "cwd path=/x\n"
                   "find effective=none args=[sh] env=[A=1]\n"
                   "capabilities effective=none permitted=none inheritable=none ambient=none\n"
                   "no-new-privs\n"
                   "seccomp\n"
                   "fork-inside\n"
                   "setsid\n"
                   "control-terminal\n"
                   "exec args=[sh] env=[A=1]\n");
        init_plan_done(&plan);

        TEST("it waits for the launcher, if that has to do something to it");
        request.waits = true;
        ASSERT_EQ(init_plan_build_exec(spec, &request, &facts, &plan, &error), 0);
        ASSERT_EQ(count(&plan, INIT_READY), 1);
        init_plan_done(&plan);
        request = (ExecRequest){ .process = spec->process, .namespaces = CLONE_NEWNS };
        ASSERT_EQ(init_plan_build_exec(spec, &request, &facts, &plan, &error), 0);
        ASSERT_EQ(count(&plan, INIT_READY), 1);
        ASSERT_EQ(count(&plan, INIT_FORK_INSIDE), 0);
        spec_free(spec);
}

#define CAPABILITY(name) ",\"capabilities\":{\"bounding\":[\"CAP_" name "\"]}"
#define NETWORK ",{\"type\":\"network\"}"

static size_t warnings(const Config *c) {
        _cleanup_built_ Built b = build(c);

        ASSERT_EQ(b.plan.piped, 0);
        return b.plan.warnings.n;
}
#define SOCKETS(...) warnings(&(Config){ .facts = root, .request = { .stdio.sockets = 7 }, __VA_ARGS__ })

static void test_sockets(void) {
        TEST("sockets as standard descriptors: who could get at the host by them");
        ASSERT_EQ(SOCKETS(.process = CAPABILITY("KILL")), 0);
        ASSERT_EQ(SOCKETS(.process = CAPABILITY("SYS_PTRACE")), 1);
        ASSERT_EQ(SOCKETS(.process = CAPABILITY("SYS_NICE")), 0);
        ASSERT_EQ(SOCKETS(.process = CAPABILITY("PERFMON")), 0);
        ASSERT_EQ(SOCKETS(.process = CAPABILITY("PERFMON\",\"CAP_SYS_NICE")), 1);
        ASSERT_EQ(SOCKETS(.process = CAPABILITY("NET_ADMIN")), 0); /* the host's network is its own */
        ASSERT_EQ(SOCKETS(.process = CAPABILITY("NET_ADMIN"), .namespaces = NETWORK), 1);
        ASSERT_EQ(SOCKETS(.process = CAPABILITY("NET_ADMIN"), .namespaces = JOINED("network")), 1);
        ASSERT_EQ(SOCKETS(.namespaces = PID), 0);
        ASSERT_EQ(SOCKETS(.namespaces = JOINED("pid")), 1);
        ASSERT_EQ(SOCKETS(.no_process = " ", .namespaces = JOINED("pid")), 1);

        TEST("sockets as standard descriptors: in a user namespace");
        ASSERT_EQ(SOCKETS(.process = CAPABILITY("SYS_PTRACE"), .namespaces = USER, .linux_ = MAPS), 0);
        ASSERT_EQ(SOCKETS(.process = CAPABILITY("SYS_PTRACE"), .namespaces = JOINED("user")), 1);
        ASSERT_EQ(SOCKETS(.namespaces = USER JOINED("pid"), .linux_ = MAPS), 1);

        TEST("sockets as standard descriptors: not with a terminal");
        ASSERT_EQ(SOCKETS(.process = ",\"terminal\":true" CAPABILITY("SYS_PTRACE")), 0);
}

static void test_sockets_without_launcher(void) {
        _cleanup_built_ Built b = BUILD(.facts = root, .request = { .stdio.sockets = 6 }, .process = CAPABILITY("SYS_PTRACE"));
        _cleanup_built_ Built served = BUILD(.facts = root, .request = { .stdio.nulls = 2, .launcher_stays = true });

        TEST("sockets as standard descriptors: nobody stays to copy");
        ASSERT_EQ(b.plan.piped, 0);
        assert_contains(&b, "# standard output, error: a socket, by which the container can get at the host, as it may have "
                        "CAP_SYS_PTRACE; give it a pipe\n");

        TEST("standard descriptors: who stays gives pipes in the place of all but the null device");
        ASSERT_EQ(served.plan.piped, 5);
        ASSERT_EQ(served.plan.warnings.n, 0);
        assert_contains(&served, "# the launcher gives pipes in the place of 0 2\n");
}

#define FILES(...) warnings(&(Config){ .facts = root, .request = { .stdio.files = 3 }, __VA_ARGS__ })

static void test_terminals(void) {
        _cleanup_built_ Built b = BUILD(.facts = root, .request = { .stdio.terminals = 7 }, .namespaces = USER, .linux_ = MAPS);

        TEST("terminals as standard descriptors: who does not stay warns, whatever the container may do");
        ASSERT_EQ(b.plan.piped, 0);
        assert_contains(&b, "# standard input, output, error: a terminal, where the container can read what is typed later, as "
                        "nobody stays between; give it /dev/null\n");
}

static void test_files(void) {
        _cleanup_built_ Built both = BUILD(.facts = root, .request = { .stdio = { .sockets = 4, .files = 3 } },
                                           .process = ",\"capabilities\":{\"bounding\":[\"CAP_DAC_READ_SEARCH\","
                                                      "\"CAP_SYS_PTRACE\"]}");

        TEST("files as standard descriptors: who could open others by them");
        ASSERT_EQ(FILES(.process = CAPABILITY("SYS_PTRACE")), 0);
        ASSERT_EQ(FILES(.process = CAPABILITY("DAC_READ_SEARCH")), 1);
        ASSERT_EQ(FILES(.process = CAPABILITY("DAC_READ_SEARCH"), .namespaces = USER, .linux_ = MAPS), 0);
        ASSERT_EQ(FILES(.namespaces = JOINED("pid")), 1);
        ASSERT_EQ(SOCKETS(.process = CAPABILITY("DAC_READ_SEARCH")), 0);

        TEST("files as standard descriptors: nobody stays to copy");
        ASSERT_EQ(both.plan.piped, 0);
        assert_contains(&both, "# standard error: a socket, by which the container can get at the host, as it may have "
                        "CAP_SYS_PTRACE; give it a pipe\n"
                        "# standard input, output: a file, by which the container can open every other of its file system, "
                        "as it may have CAP_DAC_READ_SEARCH; give it a pipe\n");
}

static void test_sockets_of_exec(void) {
        _cleanup_built_ Built container = BUILD(.facts = root, .process = CAPABILITY("SYS_PTRACE"));
        SpecProcess harmless = *container.spec->process;
        ExecRequest request = { .process = &harmless, .keyring = "k", .namespaces = CLONE_NEWNS, .stdio.sockets = 2 };
        _cleanup_(init_plan_done) InitPlan plan = {};
        _cleanup_error_ Error error = {};

        TEST("sockets as standard descriptors: exec, where the container may look");
        harmless.capabilities.bounding = 0;
        ASSERT_EQ(init_plan_build_exec(container.spec, &request, &root, &plan, &error), 0);
        ASSERT_EQ(plan.piped, 0);
        ASSERT_EQ(plan.warnings.n, 1);
}

int main(void) {
        test_hooks();
        test_process();
        test_exec();
        test_sockets();
        test_sockets_without_launcher();
        test_files();
        test_terminals();
        test_sockets_of_exec();
        return 0;
}
