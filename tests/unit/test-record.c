/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <sched.h>

#include "host/cgroup.h"
#include "plan/launch/record.h"
#include "test.h"

static Record example(void) {
        static const char *args[] = { "hook", "-x=1\n", NULL }, *env[] = { "A=b=c", "", NULL }, *none[] = { NULL };
        static SpecHook poststop[] = { { "/bin/a\nb", args, env, { true, 5 } }, { .path = "/bin/c", .env = none }, { .path = "" } };
        static SpecNamespace paths[] = { { CLONE_NEWNS, "/proc/7/ns/mnt" } };
        static const char *properties[] = { "Description=a=b\\c", "Restart=no", NULL };
        static SpecKeyValue annotations[] = { { "a=b\nc", "x\\y\n" }, { "empty", "" } };

        return (Record){
                .id = "c1", .oci_version = "1.3.0", .bundle = "/b\nund", .rootfs = "/b/rootfs",
                .created = "2026-01-02T03:04:05.000000006Z", .started = "2026-01-02T03:04:06Z", .owner = 1000, .boot_id = "boot", .unit = "ocirt-sd-c1.scope",
                .slice = "system.slice", .committed = true, .pid = 42, .start_time = UINT64_MAX,
                .cgroup = "/system.slice/ocirt-sd-c1.scope", .cgroup_id = UINT64_MAX - 1,
                .invocation_id = "0123", .namespaces = 0x28020000, .has_process = true, .notifies = true,
                .hooks[HOOK_POSTSTOP] = { poststop, ELEMENTSOF(poststop) }, .namespace_paths = paths, .n_namespace_paths = 1,
                .annotations = annotations, .n_annotations = 2, .properties = properties,
        };
}

static void test_round_trip(void) {
        _cleanup_(record_done) Record back = {};
        _cleanup_text_ Text text = {};
        const Record r = example();

        TEST("a record comes back as it was");
        record_encode(&r, &text);
        ASSERT_EQ(record_decode(text.s, &back), 0);
        ASSERT_STR(back.id, "c1");
        ASSERT_STR(back.bundle, "/b\nund");
        ASSERT_STR(back.started, r.started);
        ASSERT_EQ(back.owner, 1000);
        ASSERT(back.start_time == UINT64_MAX);
        ASSERT(back.committed && !back.user_manager && back.has_process && !back.has_start_hooks && back.notifies);
        ASSERT_EQ(back.namespaces, 0x28020000);
        ASSERT(back.cgroup_id == UINT64_MAX - 1);
        ASSERT_STR(back.invocation_id, "0123");
        ASSERT_EQ(back.n_annotations, 2);
        ASSERT_STR(back.annotations[0].key, "a=b\nc");
        ASSERT_STR(back.annotations[0].value, "x\\y\n");
        ASSERT_STR(back.annotations[1].value, "");
        ASSERT_STR(back.properties[0], "Description=a=b\\c");
        ASSERT_STR(back.properties[1], "Restart=no");
        ASSERT(!back.properties[2]);
}

static void test_begins_again(void) {
        const char *const properties[] = { "RestartSec=5", NULL, NULL }, *const more[] = { "RestartSec=5", "Restart=no", NULL };
        Record r = {};

        TEST("who may be started again by systemd, as far as the record says");
        ASSERT(!record_may_begin_again(&r));
        r.properties = properties;
        ASSERT(!record_may_begin_again(&r));
        r.restart = "no";
        ASSERT(!record_may_begin_again(&r));
        r.properties = more;
        ASSERT(record_may_begin_again(&r)); /* systemd is asked */
        r = (Record){ .restart = "always" };
        ASSERT(record_may_begin_again(&r));
}

static void test_what_is_kept(void) {
        _cleanup_(record_done) Record back = {};
        _cleanup_text_ Text text = {};
        const Record r = example();
        const SpecHook *hooks;
        Spec spec;

        TEST("hooks and namespaces, as its end needs them");
        record_encode(&r, &text);
        ASSERT_EQ(record_decode(text.s, &back), 0);
        spec = record_spec(&back);
        ASSERT_EQ(spec.hooks[HOOK_POSTSTART].n, 0);
        ASSERT_EQ(spec.hooks[HOOK_POSTSTOP].n, 3);
        hooks = spec.hooks[HOOK_POSTSTOP].hooks;
        ASSERT_STR(hooks[0].path, "/bin/a\nb");
        ASSERT_STR(hooks[0].args[1], "-x=1\n");
        ASSERT(!hooks[0].args[2]);
        ASSERT_STR(hooks[0].env[0], "A=b=c");
        ASSERT_STR(hooks[0].env[1], "");
        ASSERT(!hooks[0].env[2]);
        ASSERT(hooks[0].timeout.set && hooks[0].timeout.v == 5);
        ASSERT(!hooks[1].args && hooks[1].env && !hooks[1].env[0] && !hooks[1].timeout.set);
        ASSERT(!hooks[2].env);
        ASSERT_EQ(spec.linux_.n_namespaces, 1);
        ASSERT_EQ(spec.linux_.namespaces[0].type, CLONE_NEWNS);
        ASSERT_STR(spec.linux_.namespaces[0].path, "/proc/7/ns/mnt");
        ASSERT_STR(spec_annotation(&spec, "empty"), "");
}

static void test_log_name(void) {
        _cleanup_(arena_done) Arena a = {};
        Record r = example();
        const char *name = record_log_name(&r, &a);

        TEST("what it is called in the journal is its id, and something that another of that id has not");
        ASSERT(startswith(name, "c1-") && strlen(name) == strlen("c1-01234567"));
        ASSERT_STR(record_log_name(&r, &a), name);
        r.created = "2026-01-02T03:04:05.000000007Z";
        ASSERT(!streq(record_log_name(&r, &a), name));
}

static void test_version_1(void) {
        _cleanup_(record_done) Record back = {};
        char text[] = "version=1\nid=c\noci_version=1.0.2\nbundle=/b\nrootfs=/b/r\ncreated=now\nowner=0\nboot_id=x\n"
                      "user_manager=0\ncommitted=1\npid=7\nstart_time=8\nnamespaces=0\nhas_poststart=0\nhas_poststop=1\n"
                      "annotation.a=b\nend=\n", *number;

        TEST("a record of ocirt-sd 0.1.0");
        ASSERT_EQ(record_decode(text, &back), 0);
        ASSERT_EQ(back.version, 1);
        ASSERT_STR(back.annotations[0].value, "b");

        TEST("and one of a version that is not known");
        number = xstrdup("version=3\nend=\n");
        ASSERT_EQ(record_decode(number, &back), -EBADMSG);
        free(number);
}

static void test_damage(void) {
        _cleanup_text_ Text text = {};
        const Record r = example();

        TEST("a record that was cut, or has a line too many, is refused");
        record_encode(&r, &text);
        for (size_t n = 0; n < text.n; n++) {
                _cleanup_(record_done) Record back = {};
                _cleanup_free_ char *cut = strndup(text.s, n);

                ASSERT_EQ(record_decode(cut, &back), -EBADMSG);
        }
        static const char *const bad[] = {
                "pid=42\n", "unknown=1\n", "owner=-1\n", "owner=4294967296\n", "committed=2\n", "id\n", "has_poststop=1\n", "poststop.argument=x\nposttop=x\n", "poststart.argument=x\n",
                "poststop.variable=A=b\n", "poststop.timeout=0\n", "poststop.timeout=2147483648\n", "poststop.else=\n",
                "namespace.pid=/x\n", "bundle=\\x00\n",
        };
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_(record_done) Record back = {};
                _cleanup_text_ Text damaged = {};

                text_addn(&damaged, text.s, text.n - strlen("end=\n"));
                text_add(&damaged, bad[i]);
                text_add(&damaged, "end=\n");
                ASSERT_EQ(record_decode(damaged.s, &back), -EBADMSG);
        }
}

static void test_cgroup_of_unit(void) {
        TEST("a cgroup belongs to a unit by slice and name, whole components only");
        ASSERT(cgroup_belongs_to_unit("/a.slice/a-b.slice/x.scope", "a-b.slice", "x.scope"));
        ASSERT(cgroup_belongs_to_unit("/user.slice/user-1000.slice/user@1000.service/user.slice/x.scope", "user.slice",
                                      "x.scope"));
        ASSERT(cgroup_belongs_to_unit("/system.slice/_cpu.x.scope", "system.slice", "cpu.x.scope"));
        ASSERT(!cgroup_belongs_to_unit("/system.slice/x.scope/sub", "system.slice", "x.scope"));
        ASSERT(!cgroup_belongs_to_unit("/system.slice/x.scope2", "system.slice", "x.scope"));
        ASSERT(!cgroup_belongs_to_unit("/evil-system.slice/x.scope", "system.slice", "x.scope"));
        ASSERT(!cgroup_belongs_to_unit("/system.slice/other.service", "system.slice", "x.scope"));
        ASSERT(!cgroup_belongs_to_unit("/", "system.slice", "x.scope"));
}

int main(void) {
        test_round_trip();
        test_begins_again();
        test_what_is_kept();
        test_log_name();
        test_version_1();
        test_damage();
        test_cgroup_of_unit();
        return 0;
}
