/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <sched.h>
#include <sys/resource.h>

#include "basic/file.h"
#include "basic/str.h"
#include "oci/spec.h"
#include "spec-documents.h"
#include "test.h"

/* The documents of the tables are written with single quotes. */
static char *with_quotes(const char *text) {
        char *s = xstrdup(text);

        for (char *p = s; *p; p++)
                if (*p == '\'')
                        *p = '"';
        return s;
}

static void test_bad(void) {
        TEST("what is wrong is refused, and the error says where");
        for (const BadSpec *b = bad_specs; b->text; b++) {
                _cleanup_free_ char *text = with_quotes(b->text);
                _cleanup_spec_ Spec *spec = NULL;
                _cleanup_error_ Error e = {};
                int r = spec_parse(text, strlen(text), &spec, &e);

                if (r != -(b->code ?: EINVAL) || e.code != -r || !streq_null(e.message, b->error))
                        FAIL_AT("%s:\n  %d \"%s\"\n  expected \"%s\"", text, r, e.message ?: "", b->error);
                /* Nobody has to ask for the error. */
                ASSERT_EQ(spec_parse(text, strlen(text), &spec, NULL), r);
        }
}

static void test_accepted(void) {
        TEST("what looks odd but is right is accepted");
        for (const char *const *t = good_specs; *t; t++) {
                _cleanup_free_ char *text = with_quotes(*t);
                _cleanup_spec_ Spec *spec = NULL;
                _cleanup_error_ Error e = {};

                if (spec_parse(text, strlen(text), &spec, &e) < 0)
                        FAIL_AT("%s:\n  %s", text, e.message);
        }
}

static void test_warnings(void) {
        static const char *const sets[] = { "bounding", "effective", "inheritable", "permitted", "ambient" };
        static const char *const names[] = { "CAP_FOO", "cap_kill", "KILL", "5", "CAP_", "CAP_99", "" };
        static const struct {
                const char *text;
                bool known;
        } signals[] = {
                { "TERM", true }, { "SIGRTMIN+3", true }, { "37", true }, { "", true }, { "FOO", false }, { "0", false },
        };

        TEST("capabilities that nobody knows are passed over with a warning");
        for (size_t i = 0; i < ELEMENTSOF(sets) * ELEMENTSOF(names); i++) {
                const char *set = sets[i % ELEMENTSOF(sets)], *name = names[i / ELEMENTSOF(sets)];
                _cleanup_free_ char *json = xasprintf(
                        "{'ociVersion':'1.3.0','root':{'path':'r'},'process':{'cwd':'/','capabilities':"
                        "{'%s':['CAP_KILL','%s','CAP_CHOWN']}}}", set, name), *text = with_quotes(json);
                _cleanup_free_ char *warning = xasprintf("process.capabilities.%s[1]: unknown capability \"%s\"%s", set,
                                                         name, startswith(name, "CAP_") ? "" : ": they begin with CAP_");
                _cleanup_spec_ Spec *spec = NULL;
                const SpecCapabilities *c;

                ASSERT_EQ(spec_parse(text, strlen(text), &spec, NULL), 0);
                c = &spec->process->capabilities;
                ASSERT_EQ(c->bounding | c->effective | c->inheritable | c->permitted | c->ambient, 1 << 5 | 1);
                ASSERT_EQ(spec->warnings.n, 1);
                ASSERT_STR(spec->warnings.s[0], warning);
                ASSERT_STR(spec->warnings.s[1], NULL);
        }

        TEST("a signal that nobody knows is passed over with a warning");
        for (size_t i = 0; i < ELEMENTSOF(signals); i++) {
                _cleanup_free_ char *json = xasprintf("{'ociVersion':'1.3.0','root':{'path':'r'},'annotations':{"
                                                      "'org.opencontainers.image.stopSignal':'%s'}}", signals[i].text),
                                    *text = with_quotes(json);
                _cleanup_spec_ Spec *spec = NULL;

                ASSERT_EQ(spec_parse(text, strlen(text), &spec, NULL), 0);
                ASSERT_EQ(spec->warnings.n, signals[i].known ? 0 : 1);
                ASSERT(signals[i].known || strstr(spec->warnings.s[0], "unknown signal"));
        }
}

static void test_no_processes(void) {
        static const struct { const char *version; int64_t limit; } table[] = {
                { "1.0.0", -1 }, { "1.2.9", -1 }, { "1.2.0-rc.3", -1 }, { "1.3.0-rc.1", 0 }, { "1.3.0", 0 }, { "1.20.0", 0 },
        };

        TEST("pids.limit 0 is a value since version 1.3.0");
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_free_ char *text = xasprintf(
                        "{\"ociVersion\":\"%s\",\"root\":{\"path\":\"r\"},\"linux\":{\"resources\":{\"pids\":{\"limit\":0}}}}",
                        table[i].version);
                _cleanup_spec_ Spec *spec = NULL;

                ASSERT_EQ(spec_parse(text, strlen(text), &spec, NULL), 0);
                ASSERT_EQ(spec->linux_.resources->pids_limit.v, table[i].limit);
        }
}

static void test_many_mappings(void) {
        TEST("as many ID mappings as Linux takes");
        for (unsigned n = 340; n <= 341; n++) {
                _cleanup_spec_ Spec *spec = NULL;
                _cleanup_error_ Error e = {};
                _cleanup_text_ Text t = {};
                _cleanup_free_ char *text = NULL;
                int r;

                text_add(&t, "{'ociVersion':'1.2.0','root':{'path':'r'},'linux':{'namespaces':[{'type':'user'}],"
                             "'gidMappings':[{'containerID':0,'hostID':0,'size':1}],'uidMappings':[");
                for (unsigned i = 0; i < n; i++)
                        text_addf(&t, "%s{'containerID':%u,'hostID':%u,'size':2}", i > 0 ? "," : "", 2 * i,
                                  900 - 2 * i);
                text_add(&t, "]}}");
                text = with_quotes(t.s);
                r = spec_parse(text, strlen(text), &spec, &e);
                ASSERT_EQ(r, n == 340 ? 0 : -EINVAL);
                ASSERT_STR(e.message, n == 340 ? NULL : "linux.uidMappings: 341 mappings, Linux takes 340");
        }
}

static Spec *load(const char *name) {
        _cleanup_free_ char *path = xasprintf("%s/configs/%s.json", TEST_DATA, name), *bytes = NULL;
        _cleanup_error_ Error e = {};
        Spec *spec = NULL;
        size_t size;

        ASSERT_EQ(read_file_at(AT_FDCWD, path, 1 << 20, &bytes, &size), 0);
        if (spec_parse(bytes, size, &spec, &e) < 0)
                FAIL_AT("%s: %s", path, e.message);
        return spec;
}

static void test_minimal(void) {
        _cleanup_spec_ Spec *s = load("minimal");

        TEST("almost nothing is required");
        ASSERT_STR(s->oci_version, "1.0.0");
        ASSERT_STR(s->root_path, "rootfs");
        ASSERT(!s->root_readonly && !s->process && !s->hostname && !s->domainname && s->n_mounts == 0);
        ASSERT(!s->linux_.resources && !s->linux_.seccomp && !s->linux_.cgroups_path && !s->linux_.personality);
        ASSERT(s->linux_.masked_paths && !s->linux_.masked_paths[0]);
        ASSERT(s->linux_.readonly_paths && !s->linux_.readonly_paths[0]);
        ASSERT(!spec_namespace(s, CLONE_NEWPID));
        ASSERT_STR(spec_annotation(s, "x"), NULL);
}

static void test_podman(void) {
        _cleanup_spec_ Spec *s = load("podman");
        const SpecProcess *p = s->process;
        const SpecLinux *l = &s->linux_;

        TEST("a configuration as Podman writes it");
        ASSERT(p->terminal && !p->has_console_size && p->umask.set && p->umask.v == 022);
        ASSERT_STR(p->args[2], "exec sleep 100");
        ASSERT_STR(p->args[3], NULL);
        ASSERT_STR(p->env[1], "container=podman");
        ASSERT_EQ(p->n_additional_gids, 2);
        ASSERT_EQ(p->additional_gids[1], 10);
        ASSERT(p->has_capabilities && p->capabilities.bounding == 0x800405fb && p->capabilities.inheritable == 0);
        ASSERT_EQ(p->n_rlimits, 2);
        ASSERT_EQ(p->rlimits[0].resource, RLIMIT_NOFILE);
        ASSERT_EQ(p->rlimits[1].hard, 4194304);
        ASSERT(p->oom_score_adj.set && p->oom_score_adj.v == 0);
        ASSERT_STR(s->hostname, "4f0c1e8a7b5d");
        ASSERT_EQ(s->n_mounts, 12);
        ASSERT_STR(s->mounts[11].destination, "/data");
        ASSERT_EQ(s->mounts[11].n_options, 5);
        ASSERT_STR(s->mounts[11].options[4], "rbind");
        ASSERT_STR(spec_annotation(s, "org.systemd.property.TimeoutStopUSec"), "uint64 10000000");
        ASSERT_STR(l->sysctl[0].key, "net/ipv4/ping_group_range");
        ASSERT_STR(l->sysctl[0].value, "0 0");
        ASSERT_STR(spec_namespace(s, CLONE_NEWNET)->path, "/run/netns/netns-8e1f");
        ASSERT_STR(spec_namespace(s, CLONE_NEWPID)->path, NULL);
        ASSERT(!spec_namespace(s, CLONE_NEWUSER));
        ASSERT_STR(l->rootfs_propagation, "private");
        ASSERT_EQ(l->seccomp->default_errno_ret.v, 38);
        ASSERT_STR(l->seccomp->architectures[2], "SCMP_ARCH_X32");
        ASSERT(!l->seccomp->flags[0] && !l->seccomp->listener_path);
        ASSERT_EQ(l->seccomp->n_syscalls, 11);
        ASSERT_STR(l->seccomp->syscalls[1].action, "SCMP_ACT_ALLOW");
        ASSERT_EQ(l->seccomp->syscalls[8].n_args, 2);
        ASSERT_EQ(l->seccomp->syscalls[8].errno_ret.v, 22);
        ASSERT_STR(l->seccomp->syscalls[9].args[0].op, "SCMP_CMP_MASKED_EQ");
        ASSERT_EQ(l->resources->n_devices, 1);
        ASSERT(!l->resources->devices[0].allow && l->resources->devices[0].type == 'a');
        ASSERT(!l->resources->devices[0].major.set);
        ASSERT_EQ(l->resources->memory.swap.v, 536870912);
        ASSERT_EQ(l->resources->pids_limit.v, 2048);
        ASSERT_STR(l->resources->cpu.cpus, "0-1");
}

static void test_containerd(void) {
        _cleanup_spec_ Spec *s = load("containerd");
        const SpecResources *r = s->linux_.resources;

        TEST("a configuration as containerd writes it");
        ASSERT(s->root_readonly && !s->hostname);
        ASSERT(s->process->no_new_privileges && s->process->uid == 1000 && !s->process->rlimits);
        ASSERT_EQ(s->process->oom_score_adj.v, -998);
        ASSERT_EQ(r->n_devices, 4);
        ASSERT(r->devices[2].allow && r->devices[2].major.v == 136 && !r->devices[2].minor.set);
        ASSERT(r->memory.limit.set && r->memory.limit.v == 0 && !r->memory.check_before_update.set);
        ASSERT_STR(r->unified[1].key, "memory.swap.max");
        ASSERT_STR(r->unified[1].value, "0");
        ASSERT_STR(spec_namespace(s, CLONE_NEWPID)->path, NULL);
        ASSERT_STR(spec_namespace(s, CLONE_NEWUSER)->path, "/proc/4242/ns/user");
        ASSERT_EQ(s->linux_.uid_mappings[0].host_id, 65536);
        ASSERT(!s->linux_.intel_rdt);
}

static void test_docker(void) {
        _cleanup_spec_ Spec *s = load("docker");
        const SpecHooks *h = &s->hooks[HOOK_PRESTART];

        TEST("a configuration as Docker writes it");
        ASSERT_EQ(h->n, 1);
        ASSERT_STR(h->hooks[0].path, "/proc/1234/exe");
        ASSERT_STR(h->hooks[0].args[0], "libnetwork-setkey");
        ASSERT(!h->hooks[0].env && !h->hooks[0].timeout.set);
        ASSERT(!s->process->has_console_size && !s->process->terminal);
        ASSERT_STR(s->process->env[3], "EMPTY=");
        ASSERT_EQ(s->linux_.n_devices, 1);
        ASSERT_EQ(s->linux_.devices[0].file_mode.v, 0666);
        ASSERT_EQ(s->linux_.resources->block_io.weight.v, 500);
        ASSERT_EQ(s->linux_.resources->block_io.throttle[THROTTLE_READ_BPS][0].rate, 1048576);
        ASSERT_STR(s->linux_.sysctl[0].key, "net/ipv4/ip_unprivileged_port_start");
}

static void test_process(const SpecProcess *p) {
        ASSERT(p->has_console_size && p->console_height == 25 && p->console_width == 80);
        ASSERT(p->uid == 1 && p->gid == 2 && p->umask.v == 077);
        ASSERT_EQ(p->scheduler->policy, 6);
        ASSERT_EQ(p->scheduler->flags, 3);
        ASSERT_EQ(p->scheduler->period, 30000);
        ASSERT(p->io_priority.set && p->io_priority.v == (3 << 13 | 4));
        ASSERT_STR(p->cpu_affinity_initial, "7");
        ASSERT_STR(p->cpu_affinity_final, " 0-3, 7 ");
        ASSERT(p->capabilities.inheritable == UINT64_C(1) << 40 && p->capabilities.permitted == 1);
        ASSERT(p->capabilities.ambient == 1 << 10 && p->capabilities.effective == 1 << 5);
        ASSERT(p->rlimits[0].hard == UINT64_MAX && p->rlimits[1].resource == RLIMIT_RTTIME);
        ASSERT_STR(p->selinux_label, "system_u:system_r:container_t:s0:c1,c2");
}

static void test_linux(const SpecLinux *l) {
        static const char *const keys[] = {
                "net/ipv4/conf/eth0.1/forwarding", "net/ipv4/ip_local_port_range", "kernel/shmmax",
                "fs/mqueue/msg_max", "user/max_user_namespaces",
        };

        ASSERT_EQ(l->n_sysctl, ELEMENTSOF(keys));
        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                ASSERT_STR(l->sysctl[i].key, keys[i]);
        ASSERT(l->monotonic.set && l->monotonic.secs == 172800 && l->monotonic.nanosecs == 5);
        ASSERT(l->boottime.set && l->boottime.secs == -10 && l->boottime.nanosecs == 0);
        ASSERT_EQ(l->gid_mappings[0].size, UINT32_MAX);
        ASSERT(l->devices[0].type == 'c' && l->devices[1].type == 'p' && l->devices[2].type == 'b');
        ASSERT(l->devices[0].minor == 229 && l->devices[0].gid.v == 2 && !l->devices[2].file_mode.set);
        ASSERT_STR(l->net_devices[0].host_name, "eth0");
        ASSERT_STR(l->net_devices[0].name, "ceth%d");
        ASSERT_STR(l->net_devices[1].name, NULL);
        ASSERT_STR(l->rootfs_propagation, "slave");
        ASSERT_STR(l->intel_rdt->schemata[1], "MB:0=20;1=70");
        ASSERT_STR(l->intel_rdt->schemata[2], NULL);
        ASSERT(l->intel_rdt->enable_monitoring);
        ASSERT_STR(l->memory_policy->mode, "MPOL_INTERLEAVE");
        ASSERT_STR(l->memory_policy->nodes, "2-3");
        ASSERT_STR(l->memory_policy->flags[0], "MPOL_F_STATIC_NODES");
        ASSERT_STR(l->personality, "LINUX32");
        ASSERT_STR(l->seccomp->flags[1], "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV");
        ASSERT_STR(l->seccomp->listener_path, "/run/agent.sock");
        ASSERT_STR(l->seccomp->syscalls[0].names[1], "mknodat");
        ASSERT(l->seccomp->syscalls[0].args[0].value == UINT64_MAX);
        ASSERT(l->seccomp->syscalls[0].args[0].value_two == 1);
        ASSERT_STR(l->seccomp->syscalls[0].args[0].op, "SCMP_CMP_GE");
}

static void test_resources(const SpecResources *r) {
        static const uint64_t rates[] = { 600, 601, 602, 300 };

        ASSERT(r->devices[0].type == 'a' && !r->devices[0].major.set && !r->devices[0].minor.set);
        ASSERT_STR(r->devices[0].access, "m");
        ASSERT(r->memory.limit.v == -1 && r->memory.swap.v == INT64_MAX && r->memory.kernel_tcp.v == -1);
        ASSERT(r->memory.swappiness.set && r->memory.swappiness.v == 0);
        ASSERT(r->memory.disable_oom_killer.set && !r->memory.disable_oom_killer.v && r->memory.use_hierarchy.v);
        ASSERT(r->cpu.idle.v == 1 && r->cpu.burst.v == 1000000 && r->cpu.realtime_runtime.v == 950000);
        ASSERT_STR(r->cpu.mems, "0-7");
        ASSERT(r->pids_limit.set && r->pids_limit.v == 0);
        ASSERT_EQ(r->block_io.weight_devices[0].leaf_weight.v, 300);
        for (size_t i = 0; i < ELEMENTSOF(rates); i++)
                ASSERT_EQ(r->block_io.throttle[i][0].rate, rates[i]);
        ASSERT(r->block_io.n_throttle[0] == 1 && r->block_io.n_throttle[3] == 2);
        ASSERT_STR(r->hugepage_limits[1].page_size, "64KB");
        ASSERT(r->has_network);
        ASSERT_STR(r->rdma[0].name, "mlx5_1");
        ASSERT_EQ(r->rdma[0].hca_objects.v, 10000);
        ASSERT_STR(r->unified[0].value, "259:0 rbps=2097152\n253:0 rbps=2097152");
}

static void test_everything(void) {
        _cleanup_spec_ Spec *s = load("everything");

        TEST("every property of version 1.3.0");
        test_process(s->process);
        test_linux(&s->linux_);
        test_resources(s->linux_.resources);
        ASSERT_STR(s->mounts[0].destination, "/data");
        ASSERT_EQ(s->mounts[0].gid_mappings[0].host_id, 1000);
        ASSERT_STR(s->mounts[1].source, NULL);
        ASSERT_STR(spec_annotation(s, "empty"), "");
        for (int i = 0; i < _HOOK_KINDS; i++) {
                ASSERT_EQ(s->hooks[i].n, 1);
                ASSERT_STR(s->hooks[i].hooks[0].args[0], spec_hook_names[i]);
                ASSERT_STR(s->hooks[i].hooks[0].env[0], "A=b");
                ASSERT_EQ(s->hooks[i].hooks[0].timeout.v, i + 1);
        }
}

static void test_generated(void) {
        TEST("what `spec` of the peers writes");
        spec_free(load("runc-spec"));
        spec_free(load("crun-spec"));
}

static void test_parts(void) {
        static const char process[] = "{\"cwd\":\"/x\",\"args\":[\"a\"],\"env\":null}";
        static const char wrong[] = "{\"cwd\":\"x\"}", resources[] = "{\"memory\":{\"limit\":-1}}";
        static const char wrong_resources[] = "{\"memory\":{\"limit\":\"1\"}}";
        _cleanup_spec_ Spec *s = load("podman"), *update = NULL, *none = NULL;
        _cleanup_error_ Error e = {}, e2 = {}, e3 = {};
        SpecProcess *p;

        TEST("the documents of exec and update");
        ASSERT_EQ(spec_parse_process(s, process, sizeof(process) - 1, &p, &e), 0);
        ASSERT_STR(p->cwd, "/x");
        ASSERT(p->env && !p->env[0]);
        ASSERT_STR(s->process->cwd, "/");
        ASSERT_EQ(spec_parse_process(s, wrong, sizeof(wrong) - 1, &p, &e), -EINVAL);
        ASSERT_STR(e.message, "process.cwd: \"x\" is not an absolute path");
        ASSERT_EQ(spec_parse_process(s, "[]", 2, &p, &e2), -EINVAL);
        ASSERT_STR(e2.message, "process: expected an object, got an array");
        ASSERT_EQ(spec_parse_resources(resources, sizeof(resources) - 1, &update, &e3), 0);
        ASSERT_EQ(update->linux_.resources->memory.limit.v, -1);
        ASSERT_EQ(spec_parse_resources(wrong_resources, sizeof(wrong_resources) - 1, &none, &e3), -EINVAL);
        ASSERT_STR(e3.message, "linux.resources.memory.limit: expected an integer, got a string");
        ASSERT(!none);
}

int main(void) {
        test_bad();
        test_accepted();
        test_warnings();
        test_no_processes();
        test_many_mappings();
        test_minimal();
        test_podman();
        test_containerd();
        test_docker();
        test_everything();
        test_generated();
        test_parts();
        return 0;
}
