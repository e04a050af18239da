/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan-util.h"

#define MAPS(host) "\"uidMappings\":[{\"containerID\":0,\"hostID\":" host ",\"size\":10}]," \
                   "\"gidMappings\":[{\"containerID\":0,\"hostID\":" host ",\"size\":10}]"
#define MOUNT(options) "{\"destination\":\"/sys/fs/cgroup/\",\"type\":\"cgroup\",\"source\":\"cgroup\"," \
                       "\"options\":[" options "]}"

/* The owner line of a container's plan, or NULL. */
static void expect_owner(const char *namespaces, const char *more, const char *mount, uint32_t uid, uint32_t us,
                         const char *expected) {
        const HostFacts facts = { .privileged = true, .uid = us };
        const Request request = { .id = "c1", .bundle = "/b" };
        _cleanup_text_ Text json = {}, text = {};
        _cleanup_(unit_plan_done) UnitPlan plan = {};
        _cleanup_error_ Error error = {};
        _cleanup_spec_ Spec *spec = NULL;

        text_addf(&json, "{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"rootfs\"},\"mounts\":[%s],\"process\":{\"cwd\":\"/\","
                  "\"args\":[\"sh\"],\"user\":{\"uid\":%u,\"gid\":0}},\"linux\":{\"namespaces\":[{\"type\":\"mount\"}%s]%s%s}}",
                  mount, uid, namespaces, more[0] ? "," : "", more);
        if (spec_parse(json.s, json.n, &spec, &error) < 0 || unit_plan_build(spec, &request, &facts, &plan, &error) < 0)
                FAIL_AT("%s", error.message);
        unit_plan_print(&plan, &text);
        if (expected && !strstr(text.s, expected))
                FAIL_AT("no \"%s\" in:\n%s", expected, text.s);
        if (!expected && strstr(text.s, "\nowner "))
                FAIL_AT("an owner in:\n%s", text.s);
}

#define CGROUP ",{\"type\":\"cgroup\"}"
#define USER ",{\"type\":\"user\"}"

static void test_owner(void) {
        TEST("who may write to the container's cgroup owns it");
        expect_owner(CGROUP USER, MAPS("100000"), MOUNT("\"nosuid\""), 0, 0, "\nowner 100000\n");
        expect_owner(CGROUP USER, MAPS("100000"), MOUNT("\"nosuid\""), 7, 0, "\nowner 100007\n");
        expect_owner(CGROUP, "", MOUNT("\"nosuid\""), 7, 0, "\nowner 7\n");
        TEST("nobody does who is us, or is not known, or may only read, or would own more than the container's");
        expect_owner(CGROUP, "", MOUNT("\"nosuid\""), 0, 0, NULL);
        expect_owner(CGROUP USER, MAPS("1000"), MOUNT("\"nosuid\""), 0, 1000, NULL);
        expect_owner(CGROUP USER, MAPS("100000"), MOUNT("\"nosuid\""), 70, 0, NULL);
        expect_owner(CGROUP USER, MAPS("100000"), MOUNT("\"nosuid\",\"ro\""), 0, 0, NULL);
        expect_owner(CGROUP USER, MAPS("100000"), MOUNT("\"rro\""), 0, 0, NULL);
        expect_owner(CGROUP USER, MAPS("100000"), "", 0, 0, NULL);
        expect_owner(USER, MAPS("100000"), MOUNT("\"nosuid\""), 0, 0, NULL);
        expect_owner(",{\"type\":\"cgroup\",\"path\":\"/x\"}" USER, MAPS("100000"), MOUNT("\"nosuid\""), 0, 0, NULL);
        expect_owner(CGROUP ",{\"type\":\"user\",\"path\":\"/x\"}", "", MOUNT("\"nosuid\""), 7, 0, NULL);
}

int main(void) {
        test_owner();
        return 0;
}
