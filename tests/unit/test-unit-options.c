/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan-util.h"

#define LIMITS "\"resources\":{\"memory\":{\"limit\":67108864,\"swap\":134217728},\"cpu\":{\"quota\":50000,\"period\":100000}}"

static Planned plan_options(const char *linux_, const char *annotations, const char *const *properties, const char *restart,
                            uint64_t stop_timeout) {
        return plan_request(linux_, annotations, false,
                            (Supervision){ .program = "/bin/ocirt-sd", .root = "/r", .restart = restart,
                                           .stop_timeout = stop_timeout, .properties = properties });
}

static Planned plan_one(const char *property) {
        const char *const properties[] = { property, NULL };

        return plan_options("", "", properties, NULL, 0);
}

static void expect(const char *property, const char *line) {
        _cleanup_planned_ Planned p = plan_one(property);

        expect_line(&p, line);
}

static void refuse(const char *property, int code, const char *part) {
        _cleanup_planned_ Planned p = plan_one(property);

        expect_error(&p, code, part);
}

static void test_times(void) {
        TEST("times");
        expect("RestartSec=5s", "RestartUSec t 5000000");
        expect("RestartSec=5min 20s", "RestartUSec t 320000000");
        expect("RestartSec= 100ms ", "RestartUSec t 100000");
        expect("RuntimeMaxSec=1h", "RuntimeMaxUSec t 3600000000");
        expect("RuntimeMaxSec=infinity", "RuntimeMaxUSec t infinity");
        expect("TimeoutStopSec=90", "TimeoutStopUSec t 90000000");
        expect("StartLimitIntervalSec=60", "StartLimitIntervalUSec t 60000000");
        expect("CPUQuotaPeriodSec=10ms", "CPUQuotaPeriodUSec t 10000");
        refuse("RestartSec=", EINVAL, "--property RestartSec: expected a time such as 5min 20s or infinity, got \"\"");
        refuse("RestartSec=-1", EINVAL, "got \"-1\"");
        refuse("RestartSec=5 parsecs", EINVAL, "got \"5 parsecs\"");
        refuse("RestartSec=18446744073709551615", EINVAL, "RestartSec");
        refuse("RestartUSec=5", EOPNOTSUPP, "did you mean RestartSec?");
}

static void test_amounts(void) {
        TEST("bytes");
        expect("MemoryMax=64M", "MemoryMax t 67108864");
        expect("MemoryHigh=1.5G", "MemoryHigh t 1610612736");
        expect("MemoryLow=0", "MemoryLow t 0");
        expect("MemorySwapMax=infinity", "MemorySwapMax t infinity");
        expect("MemoryMax=10%", "MemoryMaxScale u 429496730");
        expect("MemoryMax=100%", "MemoryMaxScale u 4294967295");
        expect("MemoryMax=12.34%", "MemoryMaxScale u 529998964");
        refuse("MemoryMax=0", EINVAL, "MemoryMax");
        refuse("MemoryMax=-1", EINVAL, "MemoryMax");
        refuse("MemoryMax=", EINVAL, "MemoryMax");
        refuse("MemoryMax=101%", EINVAL, "MemoryMax");
        refuse("MemoryMax=%", EINVAL, "MemoryMax");
        refuse("MemoryMax=1.234%", EINVAL, "MemoryMax");
        refuse("MemoryMax=16384P", EINVAL, "MemoryMax");
        refuse("MemoryMax=much", EINVAL, "expected a size such as 64M or 1.5G, a share such as 10% or infinity, got \"much\"");

        TEST("numbers");
        expect("TasksMax=50", "TasksMax t 50");
        expect("TasksMax=10%", "TasksMaxScale u 429496730");
        expect("TasksMax=infinity", "TasksMax t infinity");
        refuse("TasksMax=0", EINVAL, "TasksMax");
        refuse("TasksMax=50M", EINVAL, "TasksMax");
        expect("StartLimitBurst=3", "StartLimitBurst u 3");
        refuse("StartLimitBurst=4294967296", EINVAL, "StartLimitBurst");
        refuse("StartLimitBurst=-1", EINVAL, "StartLimitBurst");
        expect("CPUWeight=200", "CPUWeight t 200");
        expect("CPUWeight=idle", "CPUWeight t 0");
        refuse("CPUWeight=0", EINVAL, "expected a number from 1 to 10000 or idle");
        refuse("CPUWeight=10001", EINVAL, "CPUWeight");
        expect("IOWeight=10000", "IOWeight t 10000");
        refuse("IOWeight=idle", EINVAL, "IOWeight");
        expect("CPUQuota=50%", "CPUQuotaPerSecUSec t 500000");
        expect("CPUQuota=250%", "CPUQuotaPerSecUSec t 2500000");
        expect("CPUQuota=0.5%", "CPUQuotaPerSecUSec t 10000"); /* whole percents are what is kept */
        expect("CPUQuota=infinity", "CPUQuotaPerSecUSec t infinity");
        refuse("CPUQuota=0%", EINVAL, "CPUQuota");
        refuse("CPUQuota=50", EINVAL, "expected a share of one CPU such as 50% or 150%, or infinity, got \"50\"");
        refuse("CPUQuota=99999999999999999999%", EINVAL, "CPUQuota");
        refuse("CPUQuotaPerSecUSec=5", EOPNOTSUPP, "did you mean CPUQuota?");
        expect("ManagedOOMMemoryPressureLimit=60%", "ManagedOOMMemoryPressureLimit u 2576980377");
}

static void test_words(void) {
        TEST("words");
        expect("Description=my web: 100%", "Description s my web: 100%");
        refuse("Description=a\nb", EINVAL, "one line of UTF-8");
        refuse("Description=a\tb", EINVAL, "expected one line of text");
        refuse("RequiresMountsFor=/a\x7f", EINVAL, "one line of UTF-8");
        refuse("Description=\xff", EINVAL, "UTF-8");
        refuse("\xff", EINVAL, "UTF-8");
        expect("RestartMode=normal", "RestartMode s normal");
        refuse("RestartMode=direct", EINVAL, "expected normal or debug, got \"direct\"");
        expect("Restart=on-failure", "Restart s on-failure");
        refuse("Restart=on", EINVAL, "expected no, on-success, on-failure, on-abnormal, on-watchdog, on-abort or always");
        expect("KillSignal=SIGUSR1", "KillSignal i 10");
        expect("KillSignal=RTMIN+3", "KillSignal i 37");
        refuse("KillSignal=0", EINVAL, "expected a signal such as TERM");
        refuse("KillSignal=NOSUCH", EINVAL, "KillSignal");
        expect("DefaultDependencies=off", "DefaultDependencies b false");
        expect("DefaultDependencies=Yes", "DefaultDependencies b true");
        refuse("DefaultDependencies=maybe", EINVAL, "expected yes or no");
        expect("AllowedCPUs=0-1", "AllowedCPUs ay 03");
        expect("AllowedMemoryNodes=0", "AllowedMemoryNodes ay 01");
        refuse("AllowedCPUs=x", EINVAL, "--property AllowedCPUs: \"x\" is not a list of numbers");
        refuse("AllowedCPUs=", EINVAL, "AllowedCPUs");

        TEST("units");
        expect("OnFailure=alert@web.service", "OnFailure as alert@web.service");
        expect("After=a.service  b.mount", "After as a.service b.mount");
        expect("PartOf=pod.target", "PartOf as pod.target");
        refuse("OnFailure=alert@%n.service", EINVAL, "specifier");
        refuse("Wants=web", EINVAL, "expected names of units such as web.service, got \"web\"");
        refuse("Wants=../web.service", EINVAL, "Wants");
        refuse("Wants=", EINVAL, "Wants");
        expect("Documentation=man:web(1) https://example.org", "Documentation as man:web(1) https://example.org");
        refuse("Documentation=web", EINVAL, "Documentation");
        expect("RequiresMountsFor=/srv/web /srv/data", "RequiresMountsFor as /srv/web /srv/data");
        refuse("RequiresMountsFor=srv", EINVAL, "expected absolute paths");
        expect("SuccessExitStatus=3 TEMPFAIL SIGKILL 250", "SuccessExitStatus (aiai) 3 75 250 KILL");
        expect("RestartPreventExitStatus=TERM", "RestartPreventExitStatus (aiai) TERM");
        refuse("SuccessExitStatus=256", EINVAL, "expected exit statuses and signals such as 3 TEMPFAIL TERM, got \"256\"");
        refuse("SuccessExitStatus=", EINVAL, "SuccessExitStatus");
}

static void test_slice(void) {
        _cleanup_planned_ Planned p = plan_one("Slice=app-web.slice");

        TEST("the slice");
        expect_line(&p, "unit ocirt-sd-c1.service in app-web.slice");
        expect_line(&p, "Slice s app-web.slice");
        refuse("Slice=app", EINVAL, "expected a slice such as machine.slice, got \"app\"");
        refuse("Slice=-.slice", EINVAL, "Slice");
}

static void test_refusals(void) {
        static const char *const ours[] = {
                "Type", "ExecStart", "ExecStartPre", "KillMode", "SendSIGKILL", "Delegate", "NotifyAccess", "RemainAfterExit",
                "User", "DynamicUser", "StandardOutput", "SyslogIdentifier", "RootDirectory", "DeviceAllow", "WatchdogSec",
                "Environment", "LimitNOFILE", "PrivateTmp", "ProtectSystem", "Nice", "SystemCallFilter", "WorkingDirectory",
                "LoadCredential", "CapabilityBoundingSet", "NoNewPrivileges", "IOReadBandwidthMax", "LogExtraFields", "FooBar",
                "MemoryMaxScale", "PIDFile", "ExitType", "OOMScoreAdjust", "IPAddressDeny", "",
        };

        TEST("what is not for the caller to set, and why");
        for (size_t i = 0; i < ELEMENTSOF(ours); i++) {
                _cleanup_free_ char *property = xasprintf("%s=yes", ours[i]), *begin = xasprintf("--property %s: ", ours[i]);

                refuse(property, EOPNOTSUPP, begin);
        }
        refuse("ExecStart=/bin/sh", EOPNOTSUPP, "process.args in config.json");
        refuse("User=web", EOPNOTSUPP, "process.user in config.json");
        refuse("WatchdogSec=10", EOPNOTSUPP, "WATCHDOG=1");
        refuse("KillMode=none", EOPNOTSUPP, "cgroup");
        refuse("TimeoutSec=5", EOPNOTSUPP, "TimeoutStopSec");
        refuse("MemoryMx=5", EOPNOTSUPP, "did you mean MemoryMax?");
        refuse("memorymax=5", EOPNOTSUPP, "did you mean MemoryMax?");
        refuse("cpuquota=5", EOPNOTSUPP, "did you mean CPUQuota?");
        refuse("MemoryMax", EINVAL, "--property MemoryMax: expected NAME=VALUE");
        refuse("", EINVAL, "expected NAME=VALUE");
}

static void test_precedence(void) {
        const char *const both[] = { "MemoryMax=50%", "CPUQuota=20%", "TimeoutStopSec=3s", "KillSignal=USR1", NULL };
        const char *const twice[] = { "MemoryMax=50%", "MemoryMax=5M", NULL };
        const char *const more[] = { "After=a.service", "After=b.service", NULL };
        const char *const again[] = { "Restart=always", NULL };
        const char *const later[] = { "TimeoutStopSec=5", NULL };
        _cleanup_planned_ Planned p =
                plan_options(LIMITS, "\"org.systemd.property.TimeoutStopUSec\":\"uint64 9000000\"", both, NULL, 0);
        _cleanup_planned_ Planned two = plan_options("", "", twice, NULL, 0), list = plan_options("", "", more, NULL, 0);
        _cleanup_planned_ Planned restart = plan_options("", "", again, "no", 0), stop = plan_options("", "", later, NULL, 1);
        _cleanup_planned_ Planned options =
                plan_options("", "\"org.systemd.property.TimeoutStopUSec\":\"uint64 9000000\"", NULL, "always", 7);
        _cleanup_planned_ Planned bad = plan_options("", "", NULL, "sometimes", 0);
        _cleanup_planned_ Planned burst =
                plan_options("\"resources\":{\"cpu\":{\"quota\":50000,\"burst\":50000}}", "", both, NULL, 0);

        TEST("the command line wins over config.json");
        expect_line(&p, "MemoryMaxScale u 2147483648");
        expect_no(&p, "MemoryMax t");
        expect_line(&p, "MemorySwapMax t 67108864"); /* what nobody has said otherwise stays */
        expect_line(&p, "CPUQuotaPerSecUSec t 200000");
        expect_no(&p, "500000");
        expect_line(&p, "TimeoutStopUSec t 3000000");
        expect_no(&p, "9000000");
        expect_line(&p, "KillSignal i 10");
        expect_no(&p, "KillSignal i 15");
        expect_error(&burst, EINVAL, "burst");

        TEST("and has no other word for it");
        expect_error(&two, EINVAL, "--property MemoryMax: said before, by --property MemoryMax");
        expect_error(&restart, EINVAL, "--property Restart: said before, by --restart");
        expect_error(&stop, EINVAL, "--property TimeoutStopSec: said before, by --stop-timeout");
        expect_line(&list, "After as a.service");
        expect_line(&list, "After as b.service");

        TEST("so do --restart and --stop-timeout");
        expect_line(&options, "Restart s always");
        expect_line(&options, "TimeoutStopUSec t 7");
        expect_no(&options, "9000000");
        expect_error(&bad, EINVAL, "--restart: expected no, on-success");
}

int main(void) {
        test_times();
        test_amounts();
        test_words();
        test_slice();
        test_refusals();
        test_precedence();
        return 0;
}
