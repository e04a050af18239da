/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "helper/seccomp.h"
#include "helper/steps.h"

#define OUTPUT_MAX 1024

/* A hook that runs. */
typedef struct Hook {
        pid_t pid;
        int pidfd, output;
        char text[OUTPUT_MAX + 1]; /* the end of what it wrote */
        size_t n;
} Hook;

int step_open_log(Helper *h, const InitOpenLog *s, Error *e) {
        _cleanup_close_ int fd = open_append(s->path, 0600, e);
        int r;

        if (fd < 0)
                return error_prefixf(e, "open %s for what hooks write", s->path);
        r = helper_set_slot(h, s->slot, fd, e);
        if (r >= 0)
                (void) TAKE_FD(fd);
        return r;
}

/* In the child. What it says on failing is what the hook said. */
static _noreturn_ void become_hook(const Helper *h, const InitHook *s, int input, const int outputs[2]) {
        static const char *none[] = { NULL };
        const char *only_path[] = { s->path, NULL };
        const char **args = s->args ?: only_path;
        const char **env = s->env ?: none;
        int r;

        (void) setsid(); /* so that all of it can be killed */
        if (dup2(input, 0) < 0 || dup2(outputs[0], 1) < 0 || dup2(outputs[1], 2) < 0 ||
            close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0 || (s->in_rootfs && fchdir(h->root) < 0))
                _exit(127);
        r = h->hook_filter ? seccomp_load(h->hook_filter) : 0;
        if (r < 0) {
                (void) dprintf(2, "load seccomp filter: %s", errno_text(r));
                _exit(127);
        }
        (void) execve(s->path, (char **) args, s->home ? helper_environment(h, env, false) : (char **) env);
        (void) dprintf(2, "exec: %s", errno_text(errno));
        _exit(127);
}

static int start_hook(Helper *h, const InitHook *s, Hook *ret, Error *e) {
        _cleanup_free_ char *state = xasprintf("%s%d%s", s->state_head, getpid(), s->state_tail);
        _cleanup_close_ int input = memfd_sealed("state", state, strlen(state)), output = -EBADF;
        int ends[2], outputs[2];

        if (input < 0)
                return error_errnof(e, input, "write the container's state");
        if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
                return error_errnof(e, errno, "create pipe");
        output = ends[1];
        (void) fcntl(output, F_SETFL, 0); /* only our end does not block */
        ret->output = ends[0];
        outputs[0] = s->stdout_ ? helper_slot(h, s->stdout_, e) : output;
        outputs[1] = s->stderr_ ? helper_slot(h, s->stderr_, e) : output;
        if (outputs[0] < 0 || outputs[1] < 0)
                return MIN(outputs[0], outputs[1]);
        ret->pid = fork();
        if (ret->pid < 0)
                return error_errnof(e, errno, "fork");
        if (ret->pid == 0)
                become_hook(h, s, input, outputs);
        ret->pidfd = pidfd_open(ret->pid, 0);
        return ret->pidfd < 0 ? error_errnof(e, errno, "open pidfd") : 0;
}

/* Keeps the end of what there is to read; false at its end. */
static bool read_output(Hook *hook) {
        char buffer[OUTPUT_MAX];
        ssize_t n = read(hook->output, buffer, sizeof(buffer));
        size_t keep;

        if (n <= 0)
                return n < 0 && (errno == EINTR || errno == EAGAIN);
        keep = MIN(hook->n, OUTPUT_MAX - (size_t) n);
        memmove(hook->text, hook->text + hook->n - keep, keep);
        memcpy(hook->text + keep, buffer, (size_t) n);
        hook->n = keep + (size_t) n;
        return true;
}

/* Until it has ended; what its own children still write afterwards is nobody's business. -ETIMEDOUT. */
static int wait_hook(Hook *hook, uint64_t deadline) {
        struct pollfd p[] = { { .fd = hook->pidfd, .events = POLLIN },
                              { .fd = hook->output, .events = POLLIN } };

        for (;;) {
                int r = poll(p, ELEMENTSOF(p), poll_timeout(deadline));

                if (r < 0 && errno != EINTR)
                        return -errno;
                if (r == 0)
                        return -ETIMEDOUT;
                if (r > 0 && p[1].revents && !read_output(hook))
                        p[1].fd = -1;
                if (r > 0 && p[0].revents)
                        return 0;
        }
}

static void drain(Hook *hook) {
        struct pollfd p = { .fd = hook->output, .events = POLLIN };

        for (unsigned i = 0; i < 64 && poll(&p, 1, 0) > 0 && read_output(hook); i++)
                ;
        while (hook->n > 0 && (hook->text[hook->n - 1] == '\n' || hook->text[hook->n - 1] == ' '))
                hook->n--;
        hook->text[hook->n] = '\0';
}

/* As init of a pid namespace we are also left with what the hook did not wait for. One that is no hook of the container's own
 * would be a program of the host there, with the host's root and all power, and the container would see it. */
static void end_others(const InitHook *s) {
        bool all = getpid() == 1 && !s->home;

        if (all)
                (void) kill(-1, SIGKILL);
        while (waitpid(-1, NULL, all ? 0 : WNOHANG) > 0)
                ;
}

static int failed(const Hook *hook, const char *how, int value, Error *e) {
        return error_setf(e, EIO, "%s %d%s%s", how, value, hook->n > 0 ? ": " : "", hook->text);
}

static int end_hook(Hook *hook, const InitHook *s, int waited, Error *e) {
        int status;

        if (waited < 0) {
                (void) kill(-hook->pid, SIGKILL);
                (void) kill(hook->pid, SIGKILL);
        }
        while (waitpid(hook->pid, &status, 0) < 0)
                if (errno != EINTR)
                        return error_errnof(e, errno, "wait");
        end_others(s);
        drain(hook);
        if (waited == -ETIMEDOUT)
                return error_setf(e, ETIMEDOUT, "timed out after %u s", s->timeout);
        if (waited < 0)
                return error_errnof(e, waited, "wait");
        if (WIFSIGNALED(status))
                return failed(hook, "killed by signal", WTERMSIG(status), e);
        return WEXITSTATUS(status) != 0 ? failed(hook, "exit status", WEXITSTATUS(status), e) : 0;
}

int step_hook(Helper *h, const InitHook *s, Error *e) {
        uint64_t deadline = s->timeout > 0 ? now_usec() + s->timeout * UINT64_C(1000000) : UINT64_MAX;
        Hook hook = { .pidfd = -EBADF, .output = -EBADF };
        int r;

        r = start_hook(h, s, &hook, e);
        if (r >= 0)
                r = end_hook(&hook, s, wait_hook(&hook, deadline), e);
        close_fd(hook.pidfd);
        close_fd(hook.output);
        return r < 0 ? error_prefixf(e, "hook %s", s->path) : 0;
}
