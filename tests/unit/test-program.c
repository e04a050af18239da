/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/program.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/loop.h"
#include "test.h"

static Error error;

/* Runs a script; the message, or "". Valid until the next. */
static const char *run_as(Program p, const char *script) {
        const char *args[] = { "sh", "-c", script, NULL };
        _cleanup_close_ int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);

        error_done(&error);
        p.path = p.path ?: "/bin/sh";
        p.args = args;
        p.input = nothing;
        p.out = p.out ?: -EBADF;
        p.err = -EBADF;
        ASSERT_EQ(program_run(&p, &error), -error.code);
        return error.message ?: "";
}

static const char *run(const char *script) {
        return run_as((Program){}, script);
}

static void test_ends(void) {
        TEST("how it ended, and the end of what it wrote");
        ASSERT_STR(run("echo all is well"), "");
        ASSERT_STR(run("printf out; printf err >&2; echo; echo; exit 3"), "exit status 3: outerr");
        ASSERT_STR(run("exit 4"), "exit status 4");
        ASSERT_STR(run("kill -9 $$"), "killed by signal 9");
        ASSERT_EQ(strlen(run("printf '%02000d end' 0; exit 5")), strlen("exit status 5: ") + PROGRAM_OUTPUT_MAX);
        ASSERT_STR(error.message + strlen(error.message) - 6, "00 end");
        ASSERT_STR(run_as((Program){ .path = "/nonesuch" }, ""), "exit status 127: no such file or directory");
        ASSERT_STR(run_as((Program){ .path = "sh", .in_path = true }, "exit 6"), "exit status 6");
}

static void test_outputs(void) {
        _cleanup_close_ int out = memfd_create("out", MFD_CLOEXEC);
        char text[16];

        TEST("its output elsewhere, and what it leaves running keeps nothing waiting");
        ASSERT_STR(run_as((Program){ .out = out }, "echo out; echo err >&2; exit 1"), "exit status 1: err");
        ASSERT_EQ(pread(out, text, sizeof(text), 0), 4);
        (void) run("sleep 100 & echo $!; exit 1");
        ASSERT_EQ(kill((pid_t) strtol(error.message + 15, NULL, 10), SIGKILL), 0);
}

static void test_inherits(void) {
        const char *environment[] = { "A=b", NULL };
        struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
        sigset_t mask, old;
        int leak = open("/dev/null", O_RDONLY); /* not closed by execve(2) */
        char script[64];

        TEST("what it does not inherit");
        snprintf(script, sizeof(script), "[ -e /proc/$$/fd/2 ] && ! [ -e /proc/$$/fd/%d ]", leak);
        ASSERT_STR(run(script), "");
        ASSERT_STR(run("/usr/bin/env -u PWD -u SHLVL -u _ -u OLDPWD /usr/bin/env; exit 1"), "exit status 1");
        ASSERT_STR(run_as((Program){ .environment = environment }, "echo $A; exit 1"), "exit status 1: b");
        (void) sigemptyset(&mask);
        (void) sigaddset(&mask, SIGTERM);
        ASSERT_EQ(sigprocmask(SIG_BLOCK, &mask, &old), 0);
        ASSERT_EQ(sigaction(SIGPIPE, &ignore, &before), 0);
        ASSERT_STR(run("kill -TERM $$; exit 1"), "killed by signal 15");
        ASSERT_STR(run("kill -PIPE $$; exit 1"), "killed by signal 13");
        (void) sigaction(SIGPIPE, &before, NULL);
        (void) sigprocmask(SIG_SETMASK, &old, NULL);
        close(leak);
}

static int refuse(const void *data) {
        dprintf(2, "refused, %s", (const char *) data);
        return -EPERM;
}

static void test_prepare(void) {
        TEST("what is done in the child before, and refused there");
        ASSERT_STR(run_as((Program){ .prepare = refuse, .data = "as told" }, "exit 1"), "exit status 127: refused, as told");
}

/* The pid that a script has printed, which died with it: it has become our child. */
static void check_killed(void) {
        const char *text = strrchr(error.message, ' ');
        pid_t pid = (pid_t) strtol(text, NULL, 10);
        int status;

        ASSERT_EQ(waitpid(pid, &status, 0), pid);
        ASSERT_EQ(WIFSIGNALED(status) ? WTERMSIG(status) : 0, SIGKILL);
}

static void test_killed(void) {
        _cleanup_close_ int interrupt = -EBADF;
        sigset_t mask, old;

        TEST("a timeout and a signal end all of it");
        ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
        ASSERT_EQ(strncmp(run_as((Program){ .timeout = 1 }, "sleep 100 & echo $!; wait"), "timed out after 1 s: ", 21), 0);
        check_killed();

        (void) sigemptyset(&mask);
        (void) sigaddset(&mask, SIGUSR1);
        ASSERT_EQ(sigprocmask(SIG_BLOCK, &mask, &old), 0);
        interrupt = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
        (void) loop_interrupt(interrupt);
        ASSERT_EQ(strncmp(run("sleep 100 & echo $!; kill -USR1 $PPID; wait"), "interrupted by signal 10: ", 26), 0);
        check_killed();
        ASSERT(!loop_is_interrupted());
        (void) loop_interrupt(-EBADF);
        (void) sigprocmask(SIG_SETMASK, &old, NULL);
}

int main(void) {
        test_ends();
        test_outputs();
        test_inherits();
        test_prepare();
        test_killed();
        error_done(&error);
        return 0;
}
