/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "host/cgroup.h"
#include "host/record.h"
#include "test.h"

static Record example(void) {
        static RecordPair annotations[] = { { "a=b\nc", "x\\y\n" }, { "empty", "" } };

        return (Record){
                .id = "c1", .oci_version = "1.3.0", .bundle = "/b\nund", .rootfs = "/b/rootfs",
                .created = "2026-01-02T03:04:05.000000006Z", .owner = 1000, .boot_id = "boot", .unit = "ocirt-sd-c1.scope",
                .slice = "system.slice", .committed = true, .pid = 42, .start_time = UINT64_MAX,
                .cgroup = "/system.slice/ocirt-sd-c1.scope", .cgroup_id = UINT64_MAX - 1,
                .invocation_id = "0123", .namespaces = 0x28020000, .has_poststop = true, .notifies = true,
                .annotations = annotations, .n_annotations = 2,
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
        ASSERT_EQ(back.owner, 1000);
        ASSERT(back.start_time == UINT64_MAX);
        ASSERT(back.committed && !back.user_manager && back.has_poststop && !back.has_poststart && back.notifies);
        ASSERT_EQ(back.namespaces, 0x28020000);
        ASSERT(back.cgroup_id == UINT64_MAX - 1);
        ASSERT_STR(back.invocation_id, "0123");
        ASSERT_EQ(back.n_annotations, 2);
        ASSERT_STR(back.annotations[0].key, "a=b\nc");
        ASSERT_STR(back.annotations[0].value, "x\\y\n");
        ASSERT_STR(back.annotations[1].value, "");
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
                "pid=42\n", "unknown=1\n", "owner=-1\n", "owner=4294967296\n", "committed=2\n", "id\n", "bundle=\\x00\n",
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
        ASSERT(cgroup_belongs_to_unit("/a.slice/a-b.slice/x.scope", "a-b.slice", "x.scope", false));
        ASSERT(cgroup_belongs_to_unit("/user.slice/user-1000.slice/user@1000.service/user.slice/x.scope", "user.slice",
                                      "x.scope", false));
        ASSERT(cgroup_belongs_to_unit("/system.slice/_cpu.x.scope", "system.slice", "cpu.x.scope", false));
        ASSERT(cgroup_belongs_to_unit("/system.slice/x.scope/sub", "system.slice", "x.scope", true));
        ASSERT(!cgroup_belongs_to_unit("/system.slice/x.scope/sub", "system.slice", "x.scope", false));
        ASSERT(!cgroup_belongs_to_unit("/system.slice/x.scope2", "system.slice", "x.scope", true));
        ASSERT(!cgroup_belongs_to_unit("/evil-system.slice/x.scope", "system.slice", "x.scope", true));
        ASSERT(!cgroup_belongs_to_unit("/system.slice/other.service", "system.slice", "x.scope", false));
        ASSERT(!cgroup_belongs_to_unit("/", "system.slice", "x.scope", false));
}

int main(void) {
        test_round_trip();
        test_damage();
        test_cgroup_of_unit();
        return 0;
}
