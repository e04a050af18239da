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

/* What is allowed at most, and the list for a filter of our own, but for the defaults at its end. */
static void expect_filter(const char *rules, const char *path, const char *list, const char *filter) {
        _cleanup_planned_ Planned p = plan(rules);
        _cleanup_text_ Text wanted = {};

        if (p.r < 0)
                FAIL_AT("%s", p.error.message);
        expect_line(&p, list);
        text_addf(&wanted, "\n%sfilter allow c *:* m\n", filter);
        if (!strstr(p.text.s, wanted.s))
                FAIL_AT("no \"%s\" in:\n%s", filter, p.text.s);
        ASSERT_STR(p.plan.rules_path, path);
        ASSERT(strstr(p.text.s, "filter allow c 10:200 rwm\n"));
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

        TEST("what a set of allowed devices cannot say");
        expect_filter(ALLOW_ALL "," RULE(false, "b", 8, 0, "w"), "linux.resources.devices[1]", "DevicePolicy s auto",
                      "filter allow c *:* rwm\nfilter allow b *:* rwm\nfilter deny b 8:0 w\n");
        expect_filter(DENY_ALL "," RULE(true, "b", 8, -1, "rw") "," RULE(false, "b", 8, 16, "w"), "linux.resources.devices[2]",
                      "DeviceAllow a(ss) block-8=rwm char-*=m block-*=m " DEFAULTS,
                      "filter deny c *:* rwm\nfilter deny b *:* rwm\nfilter allow b 8:* rw\nfilter deny b 8:16 w\n");
        expect_filter(ALLOW_ALL "," RULE(false, "c", 10, -1, "rw") "," RULE(true, "c", 10, 229, "rw"),
                      "linux.resources.devices[1]", "DevicePolicy s auto",
                      "filter allow c *:* rwm\nfilter allow b *:* rwm\nfilter deny c 10:* rw\nfilter allow c 10:229 rw\n");
        expect_filter(DENY_ALL "," RULE(true, "c", -1, 5, "r"), "linux.resources.devices[1]",
                      "DeviceAllow a(ss) char-*=rm block-*=m " DEFAULTS,
                      "filter deny c *:* rwm\nfilter deny b *:* rwm\nfilter allow c *:5 r\n");
        /* What came before a rule for everything does not matter. */
        expect_filter(RULE(true, "c", 1, 2, "r") "," DENY_ALL "," RULE(true, "c", -1, 5, "r"), "linux.resources.devices[2]",
                      "DevicePolicy s strict", "filter deny c *:* rwm\nfilter deny b *:* rwm\nfilter allow c *:5 r\n");
        expect(RULE(true, "c", -1, -1, "rwm") "," RULE(true, "c", -1, 5, "r"), "char-*=rwm block-*=m");
}

static void test_too_many(void) {
        _cleanup_text_ Text rules = {};
        _cleanup_planned_ Planned p = {};

        TEST("a list without an end");
        for (int i = 0; i < 1001; i++)
                text_addf(&rules, "%s" DENY_ALL, i > 0 ? "," : "");
        p = plan(rules.s);
        expect_error(&p, EOPNOTSUPP, "linux.resources.devices");
}

/* 300 majors, and then 300 times one minor of all of them. */
static void test_many(void) {
        _cleanup_text_ Text rules = {};
        _cleanup_planned_ Planned p = {};

        TEST("many rules do not multiply");
        for (int i = 0; i < 300; i++)
                text_addf(&rules, "{\"allow\":true,\"type\":\"c\",\"major\":%d,\"access\":\"r\"},", i + 200);
        for (int i = 0; i < 300; i++)
                text_addf(&rules, "%s{\"allow\":false,\"type\":\"c\",\"minor\":%d,\"access\":\"r\"}", i ? "," : "", i);
        p = plan(rules.s);
        ASSERT_EQ(p.r, 0);
        ASSERT_STR(p.plan.rules_path, "linux.resources.devices[300]");
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
        test_too_many();
        test_many();
        test_replaced();
        return 0;
}
