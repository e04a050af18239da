/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/program.h"

#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/child.h"
#include "basic/fd.h"
#include "basic/signals.h"

/* Negative errno, or not at all. */
static int become(const Program *p, int output) {
        static const char *const nothing[] = { NULL };
        const char *const only_path[] = { p->path, NULL };
        char **args = (char **) (p->args && p->args[0] ? p->args : only_path);
        char **environment = (char **) (p->environment ?: nothing);

        (void) setpgid(0, 0); /* so that all that it starts can be killed with it */
        if (dup2(p->input, 0) < 0 || dup2(p->out >= 0 ? p->out : output, 1) < 0 ||
            dup2(p->err >= 0 ? p->err : output, 2) < 0 || syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
                return -errno;
        if (p->prepare && p->prepare(p->data) < 0)
                return 0;
        (void) (p->in_path ? execvpe(p->path, args, environment) : execve(p->path, args, environment));
        return -errno;
}

static _noreturn_ void child(const Program *p, int output, pid_t parent) {
        int r;

        signals_reset();
        /* Nobody waits for it any more when we are killed, which may have happened by now. */
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
                _exit(127);
        r = become(p, output);
        if (r < 0)
                dprintf(2, "%s", errno_text(r));
        _exit(127);
}

/* "exit status 1: the end of what it wrote" */
static int failed(int output, Error *reterr, const char *how, unsigned value, const char *unit) {
        char text[PROGRAM_OUTPUT_MAX + 1];
        off_t size = lseek(output, 0, SEEK_END);
        ssize_t n = pread(output, text, PROGRAM_OUTPUT_MAX, MAX(size - (off_t) PROGRAM_OUTPUT_MAX, (off_t) 0));

        n = MAX(n, (ssize_t) 0);
        while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' '))
                n--;
        text[n] = '\0';
        return error_setf(reterr, EIO, "%s %u%s%s%s", how, value, unit, n > 0 ? ": " : "", text);
}

static int wait_for(const Program *p, pid_t pid, int output, Error *reterr) {
        uint64_t deadline = p->timeout > 0 ? now_usec() + p->timeout * UINT64_C(1000000) : UINT64_MAX;
        int status, r = child_wait(pid, deadline, &status);

        if (r < 0)
                child_kill(pid, true);
        if (r == -EINTR)
                return failed(output, reterr, "interrupted by signal", signals_take_interrupt(), "");
        if (r == -ETIMEDOUT)
                return failed(output, reterr, "timed out after", p->timeout, " s");
        if (r < 0)
                return error_errnof(reterr, r, "lost");
        if (WIFSIGNALED(status))
                return failed(output, reterr, "killed by signal", (unsigned) WTERMSIG(status), "");
        if (WEXITSTATUS(status) != 0)
                return failed(output, reterr, "exit status", (unsigned) WEXITSTATUS(status), "");
        return 0;
}

int program_run(const Program *p, Error *reterr) {
        /* A file, not a pipe: what the program leaves running may keep its output open. */
        _cleanup_close_ int output = memfd_create("ocirt-sd-output", MFD_CLOEXEC);
        pid_t parent = getpid(), pid;

        if (output < 0)
                return error_errnof(reterr, errno, "its output cannot be collected");
        pid = fork();
        if (pid < 0)
                return error_errnof(reterr, errno, "cannot be started");
        if (pid == 0)
                child(p, output, parent);
        return wait_for(p, pid, output, reterr);
}
