/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions: what they are called, what is asked of systemd for one, and what is kept of what it is to run. */
#include <errno.h>

#include "host/session.h"
#include "plan/launch/plan.h"
#include "plan/unit/internal.h"
#include "runtime/session-request.h"
#include "test.h"

#define LONG "0123456789012345678901234567890123456789"
#define LONGEST "x012345678901234567890123456789012345678"

static void test_names(void) {
        static const char *const good[] = { "a", "backup", "_", "exec-00ff", "A.b_c-9", LONGEST }, *const bad[] = {
                "", "1", "1a", "-a", ".", "..", "a/b", "a b", "a:b", "a@b", "a+b", "a\n", "ä", (LONGEST "9")
        };

        TEST("names");
        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                if (!session_name_is_valid(good[i]))
                        FAIL_AT("\"%s\" is refused", good[i]);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                if (session_name_is_valid(bad[i]))
                        FAIL_AT("\"%s\" is accepted", bad[i]);
}

static void test_units(void) {
        static const char *const suffixes[] = { ".service", NULL };
        _cleanup_(arena_done) Arena a = {};
        const char *one, *two;

        TEST("names of units");
        ASSERT_STR(unit_name_of_session("ocirt-sd-web.service", "backup", &a), "ocirt-sd-web:backup.service");
        ASSERT_STR(unit_name_of_session("ocirt-sd@web.service", "backup", &a), "ocirt-sd-web:backup.service");
        ASSERT_STR(unit_name_of_session("a.b.service", "c.d", &a), "a.b:c.d.service");
        ASSERT_STR(unit_slice_above("/a.slice/a-b.slice/x@y.service/c", "x@y.service", &a), "a-b.slice");
        ASSERT(!unit_slice_above("/user.slice/user@1.service/x.service", "x.service", &a));
        ASSERT(!unit_slice_above("/x.service", "x.service", &a) && !unit_slice_above("", "x.service", &a));
        one = unit_name_of_session("ocirt-sd-" LONG LONG LONG LONG LONG "1.service", LONG, &a);
        two = unit_name_of_session("ocirt-sd-" LONG LONG LONG LONG LONG "2.service", LONG, &a);
        ASSERT(!streq(one, two) && strlen(one) <= 245 && unit_name_is_plain(one, suffixes));
}

static void test_plans(void) {
        const SessionUnit what = { .program = "/usr/bin/ocirt-sd",
                                   .root = "/run/ocirt-sd",
                                   .id = "web",
                                   .name = "backup",
                                   .unit = "ocirt-sd-web.service",
                                   .slice = "system.slice" };
        _cleanup_launch_plan_ LaunchPlan plan = {};
        _cleanup_text_ Text text = {};
        UnitPlan unit = {};

        TEST("plans");
        unit_plan_build_session(&what, &unit);
        unit_plan_print(&unit, &text);
        launch_plan_session(what.name, &unit, "/run/pid", &plan);
        launch_plan_print(&plan, &text);
        unit_plan_done(&unit);
        ASSERT_STR(text.s, "unit ocirt-sd-web:backup.service in system.slice\n"
                           "Description s Session backup of OCI container web\n"
                           "Slice s system.slice\n"
                           "CollectMode s inactive-or-failed\n"
                           "Type s notify\n"
                           "NotifyAccess s all\n"
                           "ExecStart a(sasb) /usr/bin/ocirt-sd --root /run/ocirt-sd service-start web backup\n"
                           "OnSuccess as ocirt-sd-web:backup::end.service\n"
                           "OnFailure as ocirt-sd-web:backup::end.service\n"
                           "KillMode s process\n"
                           "TimeoutStartUSec t infinity\n"
                           "TimeoutStopUSec t 10000000\n"
                           "unit ocirt-sd-web:backup::end.service in system.slice\n"
                           "Description s End of session backup of OCI container web\n"
                           "Slice s system.slice\n"
                           "CollectMode s inactive-or-failed\n"
                           "DefaultDependencies b false\n"
                           "StartLimitIntervalUSec t 0\n"
                           "Before as ocirt-sd-web:backup.service\n"
                           "Before as shutdown.target\n"
                           "Type s oneshot\n"
                           "SyslogLevel i 3\n"
                           "LogLevelMax i 3\n"
                           "ExecStart a(sasb) /usr/bin/ocirt-sd --root /run/ocirt-sd service-ended web backup\n"
                           "remember-session id=backup # undone: removed\n"
                           "start-service name=ocirt-sd-web:backup.service slice=system.slice # undone: stopped\n"
                           "pid-file path=/run/pid # undone: removed\n");
}

static void test_what_is_kept(void) {
        static const char *args[] = { "sh", "-c", "exit 3\n", "", NULL }, *env[] = { "A=b=c", NULL };
        SessionRequest request = { .options = { .args = (char *const *) args, .env = env, .cwd = "/a\\b", .tty = true },
                                   .process = "{\n}",
                                   .process_size = 3 },
                       again = {};
        _cleanup_(arena_done) Arena a = {};
        _cleanup_text_ Text text = {};

        TEST("what it is to run");
        session_request_encode(&request, &text);
        ASSERT_EQ(session_request_decode(arena_strdup(&a, text.s), &a, &again), 0);
        for (size_t i = 0; i < ELEMENTSOF(args); i++)
                ASSERT(streq_null(again.options.args[i], args[i]));
        ASSERT_STR(again.options.env[0], env[0]);
        ASSERT(!again.options.env[1] && !again.options.caps && !again.options.user);
        ASSERT_STR(again.options.cwd, "/a\\b");
        ASSERT(again.options.tty && !again.options.ignore_paused && again.process_size == 3);
        ASSERT_STR(again.process, "{\n}");
}

static void test_what_is_damaged(void) {
        static const char *const bad[] = {
                "", "end", "arg=x\n", "what=x\nend=\n", "tty=2\nend=\n", "arg=\\\nend=\n", "end=\narg=x\n"
        };

        TEST("what nobody has written");
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_(arena_done) Arena a = {};
                SessionRequest request;

                if (session_request_decode(arena_strdup(&a, bad[i]), &a, &request) != -EBADMSG)
                        FAIL_AT("\"%s\" is accepted", bad[i]);
        }
}

int main(void) {
        test_names();
        test_units();
        test_plans();
        test_what_is_kept();
        test_what_is_damaged();
        return 0;
}
