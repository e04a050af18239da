/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan-util.h"

#define DEFAULTS                                                                                               \
        "/dev/char/1:3=rwm /dev/char/1:5=rwm /dev/char/1:7=rwm /dev/char/1:8=rwm /dev/char/1:9=rwm "           \
        "/dev/char/5:0=rwm /dev/char/5:2=rwm char-136=rwm /dev/char/10:200=rwm"
#define DENY_ALL "{\"allow\":false,\"access\":\"rwm\"}"
#define ALLOW_ALL "{\"allow\":true,\"access\":\"rwm\"}"
#define RULE(allow, type, major, minor, access)                                                                \
        "{\"allow\":" #allow ",\"type\":\"" type "\",\"major\":" #major ",\"minor\":" #minor ",\"access\":\"" access \
        "\"}"

static Planned plan(const char *rules) {
        _cleanup_text_ Text json = {};

        text_addf(&json, "\"resources\":{\"devices\":[%s]}", rules);
        return plan_with(json.s, "", false);
}

/* list: what is before the defaults, with its blank. */
static void expect(const char *rules, const char *list) {
        _cleanup_planned_ Planned p = plan(rules);
        _cleanup_text_ Text line = {};

        text_addf(&line, "DeviceAllow a(ss) %s", list);
        expect_line(&p, line.s);
        expect_line(&p, "DevicePolicy s strict");
}

static void expect_all(const char *rules) {
        _cleanup_planned_ Planned p = plan(rules);

        expect_line(&p, "DevicePolicy s auto");
        expect_no(&p, "DeviceAllow");
}

static void refuse(const char *rules, const char *part) {
        _cleanup_planned_ Planned p = plan(rules);

        expect_error(&p, EOPNOTSUPP, part);
}

static void test_lists(void) {
        _cleanup_planned_ Planned none = plan_with("", "", false), rootless = plan_with("", "", true);

        TEST("the defaults");
        expect_line(&none, "DeviceAllow a(ss) char-*=m block-*=m " DEFAULTS);
        expect_line(&none, "DevicePolicy s strict");
        ASSERT(strstr(none.text.s, "DeviceAllow") < strstr(none.text.s, "DevicePolicy"));
        expect_no(&rootless, "Device");
        expect(DENY_ALL, "char-*=m block-*=m " DEFAULTS);

        TEST("allowed devices, with what wider entries allow");
        expect(DENY_ALL "," RULE(true, "c", 10, 229, "rw"), "/dev/char/10:229=rwm char-*=m block-*=m " DEFAULTS);
        expect(RULE(true, "b", 8, -1, "r") "," RULE(true, "b", 8, 16, "w"),
               "block-8=rm /dev/block/8:16=rwm char-*=m block-*=m " DEFAULTS);
        expect(RULE(true, "a", 7, 7, "r"), "/dev/char/7:7=rm /dev/block/7:7=rm char-*=m block-*=m " DEFAULTS);
        expect(RULE(true, "c", -1, -1, "rwm"), "char-*=rwm block-*=m");
        expect(RULE(true, "c", 1, 3, "rwm"), "/dev/char/1:3=rwm char-*=m block-*=m "
               "/dev/char/1:5=rwm /dev/char/1:7=rwm /dev/char/1:8=rwm /dev/char/1:9=rwm "
               "/dev/char/5:0=rwm /dev/char/5:2=rwm char-136=rwm /dev/char/10:200=rwm");

        TEST("everything");
        expect_all(ALLOW_ALL);
        expect_all(DENY_ALL "," ALLOW_ALL);
        expect_all(RULE(true, "c", -1, -1, "rwm") "," RULE(true, "b", -1, -1, "rw") "," RULE(true, "b", 8, 0, "rwm"));
}

static void test_order(void) {
        TEST("later rules win");
        expect(ALLOW_ALL "," DENY_ALL, "char-*=m block-*=m " DEFAULTS);
        expect(RULE(true, "c", 10, 229, "rwm") "," RULE(false, "c", 10, -1, "w"),
               "/dev/char/10:229=rm char-*=m block-*=m " DEFAULTS);
        expect(RULE(true, "c", 10, 229, "rw") "," RULE(false, "c", -1, -1, "rw"), "char-*=m block-*=m " DEFAULTS);
        expect(ALLOW_ALL "," RULE(false, "b", 8, 0, "rwm") "," DENY_ALL, "char-*=m block-*=m " DEFAULTS);
        expect_all(ALLOW_ALL "," RULE(false, "b", 8, 0, "rwm") "," RULE(true, "b", 8, -1, "rwm"));
        /* What the defaults allow anyway is no hole. */
        expect_all(ALLOW_ALL "," RULE(false, "c", 10, 229, "m"));

        TEST("what a list of allowed devices cannot say");
        refuse(ALLOW_ALL "," RULE(false, "b", 8, 0, "w"), "linux.resources.devices[1]");
        refuse(DENY_ALL "," RULE(true, "b", 8, -1, "rw") "," RULE(false, "b", 8, 16, "w"), "linux.resources.devices[2]");
        refuse(ALLOW_ALL "," RULE(false, "c", 10, -1, "rw") "," RULE(true, "c", 10, 229, "rw"), "devices[1]");
        refuse(DENY_ALL "," RULE(true, "c", -1, 5, "r"), "linux.resources.devices[1]");
        expect(RULE(true, "c", -1, -1, "rwm") "," RULE(true, "c", -1, 5, "r"), "char-*=rwm block-*=m");
}

/* 300 majors, and then 300 times one minor of all of them. */
static void test_many(void) {
        _cleanup_text_ Text rules = {};

        TEST("many rules do not multiply");
        for (int i = 0; i < 300; i++)
                text_addf(&rules, "{\"allow\":true,\"type\":\"c\",\"major\":%d,\"access\":\"r\"},", i + 200);
        for (int i = 0; i < 300; i++)
                text_addf(&rules, "%s{\"allow\":false,\"type\":\"c\",\"minor\":%d,\"access\":\"r\"}", i ? "," : "", i);
        refuse(rules.s, "linux.resources.devices: too many rules");
}

static void test_replaced(void) {
        _cleanup_planned_ Planned same =
                plan_with("\"devices\":[{\"path\":\"/dev/null\",\"type\":\"c\",\"major\":1,\"minor\":3}]", "", false);
        _cleanup_planned_ Planned other =
                plan_with("\"devices\":[{\"path\":\"/dev/null\",\"type\":\"c\",\"major\":1,\"minor\":5}]", "", false);

        TEST("linux.devices is a list of nodes, not of permissions");
        expect_line(&same, "DeviceAllow a(ss) char-*=m block-*=m " DEFAULTS);
        expect_no(&other, "/dev/char/1:3");
}

int main(void) {
        test_lists();
        test_order();
        test_many();
        test_replaced();
        return 0;
}
