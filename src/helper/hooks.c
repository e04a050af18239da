/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "basic/program.h"
#include "helper/seccomp.h"
#include "helper/steps.h"

int step_open_log(Helper *h, const InitOpenLog *s, Error *e) {
        _cleanup_close_ int fd = open_append(s->path, 0600, e);

        if (fd < 0)
                return error_prefixf(e, "open %s for what hooks write", s->path);
        return helper_fill_slot(h, s->slot, &fd, e);
}

/* A hook, and who runs it. */
typedef struct Hook {
        const Helper *helper;
        const InitHook *step;
} Hook;

/* In the child. */
static int prepare(const void *data) {
        const Hook *hook = data;
        const Helper *h = hook->helper;
        int r;

        if (hook->step->in_rootfs && fchdir(h->root) < 0) {
                r = -errno;
                (void) dprintf(2, "enter the rootfs: %s", errno_text(r));
                return r;
        }
        r = h->hook_filter ? seccomp_load(h->hook_filter) : 0;
        if (r < 0)
                (void) dprintf(2, "load seccomp filter: %s", errno_text(r));
        return r;
}

static int output(Helper *h, uint32_t slot, int *ret, Error *e) {
        *ret = slot ? helper_slot(h, slot, e) : -EBADF;
        return slot && *ret < 0 ? *ret : 0;
}

static int run_hook(Helper *h, const InitHook *s, Error *e) {
        _cleanup_free_ char *state = xasprintf("%s%d%s", s->state_head, getpid(), s->state_tail);
        _cleanup_close_ int input = memfd_sealed("state", state, strlen(state));
        _cleanup_free_ char **environment = s->home ? helper_environment(h, s->env, false) : NULL;
        const Hook hook = { h, s };
        Program program = {
                .path = s->path,
                .args = s->args,
                .environment = environment ? (const char *const *) environment : s->env,
                .input = input,
                .timeout = s->timeout,
                .prepare = prepare,
                .data = &hook,
        };

        if (input < 0)
                return error_errnof(e, input, "write the container's state");
        return output(h, s->stdout_, &program.out, e) ?: output(h, s->stderr_, &program.err, e)
                       ?: program_run(&program, e);
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

int step_hook(Helper *h, const InitHook *s, Error *e) {
        int r = run_hook(h, s, e);

        end_others(s);
        return r < 0 ? error_prefixf(e, "hook %s", s->path) : 0;
}
