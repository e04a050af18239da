/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/test.h"
#include "basic/file.h"
#include "host/seccomp.h"
#include "launch.h"
#include "plan/init/build.h"

/* From config.json to a process, with what the engines write. */

static Launch l;
static const char *bundle;

static Spec *load(const char *name) {
        _cleanup_free_ char *path = xasprintf(TEST_DATA "/configs/%s.json", name), *text = NULL;
        Error error = {};
        size_t size;
        Spec *spec;

        ASSERT_EQ(read_file_at(AT_FDCWD, path, 1 << 20, &text, &size), 0);
        if (spec_parse(text, size, &spec, &error) < 0)
                FAIL_AT("%s: %s", path, error.message);
        return spec;
}

/* What this machine has not got is left out: the engine's bind sources, joined namespaces, hooks, LSMs. */
static void adapt(Spec *spec, const char *script) {
        const char **args = arena_calloc(&spec->arena, 4, sizeof(*args));
        SpecProcess *p = spec->process;
        SpecLinux *linux_ = &spec->linux_;
        size_t n = 0;

        args[0] = "/bin/sh";
        args[1] = "-c";
        args[2] = script;
        p->args = args;
        p->terminal = false;
        p->n_rlimits = 0; /* these take CAP_SYS_RESOURCE */
        p->oom_score_adj.set = false;
        p->apparmor_profile = p->selinux_label = linux_->mount_label = NULL;
        p->cpu_affinity_initial = p->cpu_affinity_final = NULL;
        spec->root_path = "rootfs";
        for (size_t i = 0; i < spec->n_mounts; i++) {
                const char *type = spec->mounts[i].type;

                if (!type || !streq(type, "bind"))
                        spec->mounts[n++] = spec->mounts[i];
        }
        spec->n_mounts = n;
        n = 0;
        for (size_t i = 0; i < linux_->n_namespaces; i++)
                if (!linux_->namespaces[i].path)
                        linux_->namespaces[n++] = linux_->namespaces[i];
        linux_->n_namespaces = n;
        for (size_t i = 0; i < _HOOK_KINDS; i++)
                spec->hooks[i].n = 0;
}

static void run(Spec *spec, bool rootless) {
        const char *cgroup2 =
                access("/sys/fs/cgroup/unified", F_OK) == 0 ? "/sys/fs/cgroup/unified" : "/sys/fs/cgroup";
        HostFacts facts = { .privileged = !rootless, .rootless = rootless, .uid = geteuid(), .gid = getegid(),
                            .cgroup_mount = cgroup2 };
        Request request = { .id = "test", .bundle = bundle, .start_now = true };
        _cleanup_free_ void *seccomp = NULL;
        _cleanup_text_ Text unknown = {};
        Error error = {};
        InitPlan plan;

        if (spec->linux_.seccomp) {
                if (seccomp_compile(spec->linux_.seccomp, &seccomp, &request.seccomp_size, &unknown, &error) < 0)
                        FAIL_AT("%s", error.message);
                request.seccomp = seccomp;
        }
        if (init_plan_build(spec, &request, &facts, &plan, &error) < 0)
                FAIL_AT("%s", error.message);
        l = (Launch){ .map = true, .rootless = rootless, .clone_flags = init_plan_clone_flags(spec) };
        launch(&plan, &l);
}

static void test_engine(const char *name) {
        Spec *spec = load(name);
        char expected[256];

        fprintf(stderr, "- %s.json\n", name);
        adapt(spec,
              "echo $$; id -u; id -g; pwd; grep -c . /proc/self/mounts; grep -E '^(CapBnd|CapEff|NoNewPrivs|Seccomp:)' "
              "/proc/self/status | tr -d '\\t'; ls /proc/self/fd; stat -c %t:%T /dev/null; touch /w 2>/dev/null && echo w");
        run(spec, false);

        ASSERT_STR(l.error, "");
        snprintf(expected, sizeof(expected), "1\n%u\n%u\n%s\n", spec->process->uid, spec->process->gid,
                 spec->process->cwd);
        ASSERT(startswith(l.output, expected));
        snprintf(expected, sizeof(expected), "CapBnd:%016llx\n",
                 (unsigned long long) spec->process->capabilities.bounding);
        ASSERT(strstr(l.output, expected));
        ASSERT(strstr(l.output, "\n0\n1\n2\n3\n1:3\n"));
        ASSERT_EQ(strstr(l.output, "\nw\n") != NULL, !spec->root_readonly && spec->process->uid == 0);
        spec_free(spec);
}

static void add_namespace(Spec *spec, int type) {
        SpecNamespace *all = arena_calloc(&spec->arena, spec->linux_.n_namespaces + 1, sizeof(*all));

        memcpy(all, spec->linux_.namespaces, spec->linux_.n_namespaces * sizeof(*all));
        all[spec->linux_.n_namespaces++].type = type;
        spec->linux_.namespaces = all;
}

static void drop_namespace(Spec *spec, int type) {
        size_t n = 0;

        for (size_t i = 0; i < spec->linux_.n_namespaces; i++)
                if (spec->linux_.namespaces[i].type != type)
                        spec->linux_.namespaces[n++] = spec->linux_.namespaces[i];
        spec->linux_.n_namespaces = n;
}

static Spec *load_userns(const char *name, const char *script, uint32_t host_id, uint32_t size) {
        Spec *spec = load(name);
        SpecIdMap *map = arena_alloc(&spec->arena, sizeof(*map));

        adapt(spec, script);
        *map = (SpecIdMap){ 0, host_id, size };
        add_namespace(spec, CLONE_NEWUSER);
        spec->linux_.uid_mappings = spec->linux_.gid_mappings = map;
        spec->linux_.n_uid_mappings = spec->linux_.n_gid_mappings = 1;
        return spec;
}

static void test_userns(void) {
        Spec *spec;

        TEST("a user namespace, without network and cgroup namespaces: the host's sysfs, its own cgroup read-only");
        shell("chown -R 100000:100000 %s/rootfs", bundle);
        spec = load_userns(
                "podman",
                "id -u; touch /dev/null && stat -c %t:%T /dev/null /dev/full; mkdir /sys/fs/cgroup/x; ls -d /sys/class;"
                "stat -c %u /etc/passwd",
                100000, 65536);
        drop_namespace(spec, CLONE_NEWNET);
        drop_namespace(spec, CLONE_NEWCGROUP);
        spec->linux_.n_sysctl = 0; /* of the host's network namespace */
        run(spec, false);
        ASSERT_STR(l.error, "");
        ASSERT_STR(
                l.output,
                "0\n1:3\n1:7\nmkdir: can't create directory '/sys/fs/cgroup/x': Read-only file system\n/sys/class\n0\n");
        spec_free(spec);
        shell("chown -R 0:0 %s/rootfs", bundle);
}

/* As a user without any privilege. */
static void test_rootless(void) {
        Spec *spec;

        TEST("without privileges: one id, setgroups denied");
        shell("chown -R 1000:1000 %s/rootfs", bundle);
        if (fork() == 0) {
                /* Read before: these sources may lie where only root may look. */
                spec = load_userns(
                        "podman",
                        "id -u; id -g; stat -c %t:%T /dev/null; touch /x && echo w; cat /proc/self/setgroups",
                        1000, 1);
                ASSERT(setresgid(1000, 1000, 1000) == 0 && setresuid(1000, 1000, 1000) == 0);
                ASSERT(prctl(PR_SET_DUMPABLE, 1) == 0);
                drop_namespace(spec, CLONE_NEWNET);
                add_namespace(spec, CLONE_NEWNET);
                spec->process->n_additional_gids = 0; /* nobody can have them so */
                run(spec, true);
                ASSERT_STR(l.error, "");
                ASSERT_STR(l.output, "0\n0\n1:3\nw\ndeny\n");
                _exit(0);
        } else {
                int status;

                ASSERT(wait(&status) > 0);
                ASSERT_EQ(status, 0);
        }
        shell("chown -R 0:0 %s/rootfs", bundle);
}

int main(void) {
        sandbox_enter();
        bundle = sandbox_path("");
        sandbox_rootfs("rootfs");
        test_engine("runc-spec");
        test_engine("crun-spec");
        test_engine("docker");
        test_engine("podman");
        test_engine("containerd");
        test_userns();
        test_rootless();
        return 0;
}
