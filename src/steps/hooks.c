/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "steps/hooks.h"

#include <errno.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/child.h"
#include "basic/fd.h"
#include "basic/file.h"
#include "basic/log.h"
#include "basic/loop.h"
#include "basic/signals.h"
#include "basic/str.h"
#include "oci/state-json.h"

/* How much of a failed hook's output goes into the error. */
#define OUTPUT_MAX 1024U

/* The same for all hooks of a kind. */
typedef struct Setting {
        int out, err;           /* where what they write goes: files that annotations name (crun's), or -EBADF: into the
                                 * error, if one fails */
        const char *const *environment; /* for those without */
} Setting;

static _noreturn_ void child(const SpecHook *hook, int input, int output, const Setting *setting, pid_t runtime) {
        const char *fallback[] = { hook->path, NULL };

        signals_reset();
        /* Nobody waits for it any more when we are killed, which may have happened by now. */
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != runtime)
                _exit(126);
        (void) setpgid(0, 0); /* so that a timeout ends what the hook started, too */
        if (dup2(input, 0) < 0 || dup2(setting->out >= 0 ? setting->out : output, 1) < 0 ||
            dup2(setting->err >= 0 ? setting->err : output, 2) < 0)
                _exit(126);
        (void) syscall(SYS_close_range, 3U, ~0U, 0);
        (void) execve(hook->path, (char **) (hook->args && hook->args[0] ? hook->args : fallback),
                      (char **) (hook->env ?: (const char **) setting->environment));
        dprintf(2, "%s", errno_text(errno));
        _exit(127);
}

static int failed(const SpecHook *hook, int output, const char *how, int value, const char *unit, Error *reterr) {
        char text[OUTPUT_MAX + 1];
        ssize_t n = pread(output, text, OUTPUT_MAX, 0);

        n = MAX(n, (ssize_t) 0);
        while (n > 0 && text[n - 1] == '\n')
                n--;
        text[n] = '\0';
        return error_setf(reterr, EIO, "hook %s: %s %d%s%s%s", hook->path, how, value, unit, n > 0 ? ": " : "", text);
}

/* The number of the signal that wants an end. */
static int which_signal(void) {
        int interrupt = loop_interrupt(-EBADF);
        struct signalfd_siginfo info = {};

        (void) !read(interrupt, &info, sizeof(info));
        (void) loop_interrupt(interrupt);
        return (int) info.ssi_signo;
}

static int wait_hook(const SpecHook *hook, pid_t pid, int output, Error *reterr) {
        uint64_t deadline = hook->timeout.set ? now_usec() + (uint64_t) hook->timeout.v * 1000000 : UINT64_MAX;
        int status, r = child_wait(pid, deadline, &status);

        if (r < 0)
                child_kill(pid, true);
        if (r == -EINTR)
                return failed(hook, output, "interrupted by signal", which_signal(), "", reterr);
        if (r == -ETIMEDOUT)
                return failed(hook, output, "timed out after", hook->timeout.v, " s", reterr);
        if (r < 0)
                return error_errnof(reterr, r, "hook %s: lost", hook->path);
        if (WIFSIGNALED(status))
                return failed(hook, output, "killed by signal", WTERMSIG(status), "", reterr);
        if (WEXITSTATUS(status) != 0)
                return failed(hook, output, "exit status", WEXITSTATUS(status), "", reterr);
        return 0;
}

static int run(const SpecHook *hook, const Text *state, const Setting *setting, Error *reterr) {
        /* Files, not pipes: a hook may read nothing, and what it leaves running may keep its output open. */
        _cleanup_close_ int input = memfd_sealed("ocirt-sd-hook-state", state->s, state->n);
        _cleanup_close_ int output = memfd_create("ocirt-sd-hook-output", MFD_CLOEXEC);
        pid_t runtime = getpid(), pid;

        if (input < 0 || output < 0)
                return error_errnof(reterr, input < 0 ? input : errno, "hook %s: cannot be prepared", hook->path);
        pid = fork();
        if (pid < 0)
                return error_errnof(reterr, errno, "hook %s: cannot be started", hook->path);
        if (pid == 0)
                child(hook, input, output, setting, runtime);
        return wait_hook(hook, pid, output, reterr);
}

static int open_annotated(const Spec *spec, const char *key, int *ret, Error *reterr) {
        const char *path;
        int r = spec_annotation_path(spec, key, &path, reterr);

        if (r < 0 || !path)
                return r;
        *ret = open_append(path, 0600, reterr);
        return *ret < 0 ? error_prefixf(reterr, "annotation %s: cannot open %s", key, path) : 0;
}

/* "... but the remaining hooks and lifecycle continue as if the hook had succeeded" */
static int settle(SpecHookKind kind, Error *error, Error *reterr) {
        if (error->code == 0)
                return 0;
        if (kind != HOOK_POSTSTOP)
                return error_move(reterr, error);
        log_message(LOG_WARNING, "%s", error->message);
        return 0;
}

static int run_number(const Spec *spec, SpecHookKind kind, size_t i, const Text *state, const Setting *setting, Error *reterr) {
        _cleanup_error_ Error error = {};
        uint64_t begin = now_usec();
        int r = run(&spec->hooks[kind].hooks[i], state, setting, &error);

        log_info("hook %s #%zu: %s: %.1f ms", spec_hook_names[kind], i, spec->hooks[kind].hooks[i].path, log_msec_since(begin));
        if (r < 0)
                error_prefixf(&error, "error running %s hook #%zu", spec_hook_names[kind], i);
        return settle(kind, &error, reterr);
}

/* What has ended the container already is not meant for what cleans up after it. */
static void forget_signals(void) {
        while (loop_is_interrupted() && which_signal() > 0)
                ;
}

int hooks_run(const Caller *caller, const Spec *spec, SpecHookKind kind, const HookState *state, Error *reterr) {
        Setting setting = { .out = -EBADF, .err = -EBADF, .environment = caller->environment };
        _cleanup_text_ Text text = {}, tail = {};
        _cleanup_error_ Error error = {};
        int r;

        if (spec->hooks[kind].n == 0)
                return 0;
        if (kind == HOOK_POSTSTOP)
                forget_signals();
        if (open_annotated(spec, "run.oci.hooks.stdout", &setting.out, &error) == 0)
                (void) open_annotated(spec, "run.oci.hooks.stderr", &setting.err, &error);
        r = settle(kind, &error, reterr);
        state_json_hook(spec, state->id, state->status, state->bundle, &text, &tail);
        text_addf(&text, "%d", state->pid);
        text_add(&text, tail.s);
        for (size_t i = 0; i < spec->hooks[kind].n && r == 0; i++)
                r = run_number(spec, kind, i, &text, &setting, reterr);
        close_fd(setting.out);
        close_fd(setting.err);
        return r;
}
