/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan-util.h"
#include "plan/unit/variant.h"

#define A(name, value) "\"org.systemd.property." name "\":\"" value "\""

static void expect(const char *annotations, const char *line) {
        _cleanup_planned_ Planned p = plan_with("", annotations, false);

        expect_line(&p, line);
}

static void refuse(const char *annotations, int code, const char *part) {
        _cleanup_planned_ Planned p = plan_with("", annotations, false);

        expect_error(&p, code, part);
}

static void test_engines(void) {
        _cleanup_planned_ Planned podman =
                plan_with("", A("KillSignal", "15") "," A("TimeoutStopUSec", "uint64 20000000") ","
                          "\"io.container.manager\":\"libpod\"", false);

        TEST("what engines send");
        expect_line(&podman, "KillSignal i 15");
        expect_line(&podman, "TimeoutStopUSec t 20000000");
        expect_no(&podman, "10000000\n");
        expect_no(&podman, "libpod");
        expect(A("DefaultDependencies", "true"), "DefaultDependencies b true");
        expect(A("After", "['crio.service']"), "After as crio.service");
        expect(A("CollectMode", "'inactive'"), "CollectMode s inactive");
        expect(A("Description", "\\\"my container\\\""), "Description s my container");
        expect(A("Before", "@as ['a.target', \\\"b.slice\\\"]"), "Before as a.target b.slice");
        expect(A("OOMPolicy", "'kill'"), "OOMPolicy s kill");
        expect(A("MemoryHigh", "1000000"), "MemoryHigh t 1000000");
        expect(A("ManagedOOMMemoryPressureLimit", "uint32 7"), "ManagedOOMMemoryPressureLimit u 7");
}

static void test_seconds(void) {
        TEST("seconds");
        expect(A("TimeoutStopSec", "5"), "TimeoutStopUSec t 5000000");
        expect(A("TimeoutStopSec", "uint64 5"), "TimeoutStopUSec t 5000000");
        expect(A("TimeoutStopSec", "int32 5"), "TimeoutStopUSec t 5000000");
        expect(A("TimeoutStopSec", "1.5"), "TimeoutStopUSec t 1500000");
        refuse(A("TimeoutStopSec", "-1"), EINVAL, "org.systemd.property.TimeoutStopSec");
        refuse(A("TimeoutStopSec", "uint64 18446744073709551615"), EINVAL, "TimeoutStopSec");
        refuse(A("TimeoutStopSec", "'5'"), EINVAL, "TimeoutStopSec");
        refuse(A("TimeoutStopSec", "nan"), EINVAL, "TimeoutStopSec");
        refuse(A("TimeoutStopSec", "1e400"), EINVAL, "TimeoutStopSec");
        refuse(A("TimeoutStopSec", "5") "," A("TimeoutStopUSec", "uint64 5"), EINVAL, "TimeoutStopUSec");
}

static void test_words(void) {
        TEST("strings without quotes, as in a unit file");
        expect(A("OOMPolicy", "kill"), "OOMPolicy s kill");
        expect(A("CollectMode", " inactive "), "CollectMode s inactive");
        expect(A("Description", "my container"), "Description s my container");
        expect(A("Description", "it's 5 o'clock"), "Description s it's 5 o'clock");
        expect(A("Description", "true"), "Description s true");
        expect(A("Description", "5"), "Description s 5");
        expect(A("Description", "uint64 5"), "Description s uint64 5");
        expect(A("After", "crio.service"), "After as crio.service");
        expect(A("After", "'crio.service'"), "After as crio.service");
        expect(A("After", "  a.service\\tb.service "), "After as a.service b.service");
        refuse(A("Description", "'my container"), EINVAL, "Description");
        refuse(A("Description", "['my', 'container']"), EINVAL, "expected a string");
        refuse(A("OOMPolicy", "kill stop"), EINVAL, "bad value");
        refuse(A("After", "a.service, b.service"), EINVAL, "bad value");
        refuse(A("After", "5"), EINVAL, "bad value");
        refuse(A("MemoryMax", "much"), EINVAL, "not a value in GVariant's text format: expected a uint64");
        refuse(A("KillSignal", "SIGTERM"), EINVAL, "not a value in GVariant's text format: expected an int32");
        refuse(A("TimeoutStopSec", "30s"), EINVAL, "not a value in GVariant's text format: expected a number of seconds");

        TEST("what a unit says about itself, and for how long it may run");
        expect(A("Documentation", "https://example.org/a man:podman(1)"),
               "Documentation as https://example.org/a man:podman(1)");
        expect(A("Documentation", "['file:/usr/share/doc/x', 'info:x']"), "Documentation as file:/usr/share/doc/x info:x");
        refuse(A("Documentation", "example.org"), EINVAL, "Documentation");
        refuse(A("Documentation", "['http://']"), EINVAL, "Documentation");
        refuse(A("Documentation", "['http://a\\u0001b']"), EINVAL, "Documentation");
        expect(A("RuntimeMaxSec", "90"), "RuntimeMaxUSec t 90000000");
        expect(A("RuntimeMaxUSec", "uint64 18446744073709551615"), "RuntimeMaxUSec t infinity");
}

static void test_refusals(void) {
        static const char *const names[] = {
                "Slice", "Delegate", "DelegateControllers", "PIDs", "PIDFDs", "DeviceAllow", "DevicePolicy", "BPFProgram",
                "IPAddressAllow", "IPAddressDeny", "OnFailure", "OnSuccess", "Requires", "Wants", "BindsTo", "PartOf",
                "Upholds", "Conflicts", "PropagatesStopTo", "JoinsNamespaceOf", "RuntimeRandomizedExtraUSec", "User",
                "Group", "SuccessAction", "FailureAction", "JobTimeoutAction", "KillMode", "SendSIGKILL", "Controller",
                "ExecStart", "MemoryAccounting", "Foo", "AddRef", "Markers", "KillSignalSec",
        };

        TEST("properties that are not for containers");
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_text_ Text t = {};

                text_addf(&t, "\"org.systemd.property.%s\":\"true\"", names[i]);
                refuse(t.s, EOPNOTSUPP, names[i]);
        }
        refuse("\"org.systemd.property.\":\"1\"", EINVAL, "org.systemd.property.");
        refuse(A("ab", "1"), EINVAL, "not the name");
        refuse(A("Kill-Signal", "1"), EINVAL, "not the name");
        refuse(A("Kill\\u00e4Signal", "1"), EINVAL, "not the name");
        refuse(A("KillSignal", "0"), EINVAL, "KillSignal");
        refuse(A("KillSignal", "65"), EINVAL, "KillSignal");
        refuse(A("KillSignal", "uint64 15"), EINVAL, "KillSignal");
        refuse(A("KillSignal", "'15'"), EINVAL, "KillSignal");
        refuse(A("TimeoutStopUSec", "int32 5"), EINVAL, "TimeoutStopUSec");
        refuse(A("CollectMode", "'never'"), EINVAL, "CollectMode");
        refuse(A("CollectMode", "'inactive inactive-or-failed'"), EINVAL, "CollectMode");
        refuse(A("OOMPolicy", "''"), EINVAL, "OOMPolicy");
        refuse(A("Description", "'a\\nb'"), EINVAL, "Description");
        refuse(A("After", "['x']"), EINVAL, "After");
        refuse(A("After", "['../x.service']"), EINVAL, "After");
        refuse(A("Before", "['shutdown.service']"), EINVAL, "Before");
        refuse(A("MemoryMax", "-5"), EINVAL, "MemoryMax");
}

static void test_conflicts(void) {
        _cleanup_planned_ Planned p =
                plan_with("\"resources\":{\"memory\":{\"limit\":5}}", A("MemoryMax", "uint64 7"), false);
        _cleanup_planned_ Planned weight =
                plan_with("\"resources\":{\"unified\":{\"cpu.weight\":\"5\"}}", A("CPUWeight", "uint64 7"), false);

        TEST("the resources say what the resources say");
        expect_error(&p, EINVAL, "org.systemd.property.MemoryMax");
        expect_error(&weight, EINVAL, "org.systemd.property.CPUWeight");
}

static void test_subgroup(void) {
        TEST("the subgroup");
        expect("\"run.oci.systemd.subgroup\":\"container\"", "subgroup container");
        refuse("\"run.oci.systemd.subgroup\":\"..\"", EINVAL, "run.oci.systemd.subgroup");
        refuse("\"run.oci.systemd.subgroup\":\"a/b\"", EINVAL, "run.oci.systemd.subgroup");
        refuse("\"run.oci.systemd.subgroup\":\"cgroup.x\"", EINVAL, "run.oci.systemd.subgroup");
        _cleanup_planned_ Planned p = plan_with("", "\"run.oci.systemd.subgroup\":\"\"", false);
        expect_no(&p, "subgroup");
}

static void test_syntax(void) {
        static const struct { const char *text; char type; } good[] = {
                { "true", 'b' }, { " false ", 'b' }, { "5", '\0' }, { "-5", '\0' }, { "+5", '\0' }, { "byte 255", 'y' },
                { "int16 -5", 'n' }, { "uint16 65535", 'q' }, { "int64 -9223372036854775808", 'x' }, { "@t 5", 't' },
                { "uint64 18446744073709551615", 't' }, { "1.5", 'd' }, { "double 1", 'd' }, { "'a\\'b'", 's' },
                { "\"a'b\"", 's' }, { "''", 's' }, { "['a']", 'a' }, { "[ 'a' , \"b\" ]", 'a' }, { "@as []", 'a' },
                { "string 'x'", 's' },
        };
        static const char *const bad[] = {
                "", " ", "x", "truex", "5x", "0x10", "5 6", "byte 256", "byte -1", "int32 2147483648", "uint64 -1",
                "uint64 1.5", "uint64 'a'", "uint64 ", "uint645", "'a", "a'", "'a' 'b'", "'a\\nb'", "'a\\", "[", "[]",
                "['a'", "['a',]", "['a' 'b']", "[5]", "[['a']]", "@as 'a'", "@ax ['a']", "{'a': 'b'}", "('a',)", "<5>",
                "nothing", "just 5", "b'abc'", "-", "+", "--5", "1e", ".5", "18446744073709551616", "objectpath '/a'",
        };

        TEST("GVariant's text format");
        for (size_t i = 0; i < ELEMENTSOF(good); i++) {
                _cleanup_(arena_done) Arena a = {};
                Variant v;

                if (variant_parse(good[i].text, &a, &v) < 0)
                        FAIL_AT("\"%s\" is refused", good[i].text);
                ASSERT_EQ(v.type, good[i].type);
        }
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_(arena_done) Arena a = {};
                Variant v;

                if (variant_parse(bad[i], &a, &v) >= 0)
                        FAIL_AT("\"%s\" is accepted", bad[i]);
        }
}

int main(void) {
        test_engines();
        test_seconds();
        test_words();
        test_refusals();
        test_conflicts();
        test_subgroup();
        test_syntax();
        return 0;
}
