/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/launch/exit.h"

#include <errno.h>
#include <signal.h>

#include "test.h"

/* To text and back. */
static Exit again(const Exit *e, Arena *a) {
        _cleanup_text_ Text text = {};
        Exit ret = {};

        exit_encode(e, &text);
        ASSERT_EQ(exit_decode(text.s, a, &ret), 0);
        return ret;
}

static void check(int status, const char *result, const char *code, const char *text, int expected) {
        _cleanup_(arena_done) Arena a = {};
        Exit e = exit_from_wait(status, &a);

        e = again(&e, &a);
        ASSERT_STR(e.result, result);
        ASSERT_STR(e.code, code);
        ASSERT_STR(e.status, text);
        ASSERT(!e.time && !e.invocation);
        ASSERT_EQ(exit_status(&e), expected);
}

static void test_of_wait(void) {
        TEST("as waitpid(2) has it");
        check(0, "success", "exited", "0", 0);
        check(255 << 8, "exit-code", "exited", "255", 255);
        check(SIGTERM, "signal", "killed", "TERM", 128 + SIGTERM);
        check(SIGSEGV | 0x80, "core-dump", "dumped", "SEGV", 128 + SIGSEGV);
        check(SIGRTMIN + 3, "signal", "killed", "RTMIN+3", 128 + SIGRTMIN + 3);
        check(32, "signal", "killed", "32", 128 + 32); /* glibc's own, which has no name */
}

static void test_of_systemd(void) {
        const Exit none = { .result = "resources" }, all = { "oom-kill", "killed", "KILL", "2026-01-01T00:00:00Z", "abc",
                                                             "stop" };
        _cleanup_(arena_done) Arena a = {};
        Exit e;

        TEST("as systemd has it: without a process, with everything, and what it never says");
        e = again(&none, &a);
        ASSERT(!e.code && !e.status);
        ASSERT_EQ(exit_status(&e), -ENODATA);
        e = again(&all, &a);
        ASSERT_STR(e.time, all.time);
        ASSERT_STR(e.invocation, all.invocation);
        ASSERT_STR(e.request, all.request);
        ASSERT_EQ(exit_status(&e), 128 + SIGKILL);
        ASSERT_EQ(exit_status(&(Exit){ .result = "r", .code = "exited", .status = "256" }), -ENODATA);
        ASSERT_EQ(exit_status(&(Exit){ .result = "r", .code = "killed", .status = "NONE" }), -ENODATA);
}

static void check_words(Exit e, int code, const char *signal, const char *reason) {
        const char *found;

        ASSERT_EQ(exit_code(&e, &found), code);
        ASSERT_STR(found, signal);
        ASSERT_STR(exit_reason(&e), reason);
}

static void test_words(void) {
        TEST("for who looks at it");
        check_words((Exit){ .result = "success", .code = "exited", .status = "0" }, 0, NULL, "success");
        check_words((Exit){ .result = "exit-code", .code = "exited", .status = "5" }, 5, NULL, "exit-code");
        check_words((Exit){ .result = "exit-code", .code = "exited", .status = "5", .request = "stop" }, 5, NULL, "stopped");
        check_words((Exit){ .result = "success", .code = "killed", .status = "TERM", .request = "restart" }, -ENODATA, "TERM",
                    "stopped");
        check_words((Exit){ .result = "timeout", .code = "killed", .status = "KILL", .request = "stop" }, -ENODATA, "KILL",
                    "timeout");
        check_words((Exit){ .result = "core-dump", .code = "dumped", .status = "SEGV" }, -ENODATA, "SEGV", "core-dump");
        check_words((Exit){ .result = "watchdog", .code = "dumped", .status = "ABRT" }, -ENODATA, "ABRT", "watchdog");
        check_words((Exit){ .result = "start-limit-hit" }, -ENODATA, NULL, "start-limit-hit");
}

static void test_damaged(void) {
        static const char *const texts[] = { "", "result", "result=a\nother=b\n", "code=exited\nstatus=0\n", "result=\\x\n" };
        _cleanup_(arena_done) Arena a = {};
        Exit e;

        TEST("not what we wrote");
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_free_ char *copy = xstrdup(texts[i]);

                ASSERT_EQ(exit_decode(copy, &a, &e), -EBADMSG);
        }
}

int main(void) {
        test_of_wait();
        test_of_systemd();
        test_words();
        test_damaged();
        return 0;
}
