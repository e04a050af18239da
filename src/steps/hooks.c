/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "steps/hooks.h"

#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "basic/log.h"
#include "basic/loop.h"
#include "basic/program.h"
#include "basic/signals.h"
#include "basic/str.h"
#include "oci/state-json.h"

/* The same for all hooks of a kind. */
typedef struct Setting {
        int out, err;           /* where what they write goes: files that annotations name (crun's), or -EBADF: into the
                                 * error, if one fails */
        const char *const *environment; /* for those without */
} Setting;

static int run(const SpecHook *hook, const Text *state, const Setting *setting, Error *reterr) {
        /* A file, not a pipe: a hook may read nothing. */
        _cleanup_close_ int input = memfd_sealed("ocirt-sd-hook-state", state->s, state->n);
        const Program program = {
                .path = hook->path,
                .args = (const char *const *) hook->args,
                .environment = (const char *const *) hook->env ?: setting->environment,
                .input = input,
                .out = setting->out,
                .err = setting->err,
                .timeout = hook->timeout.set ? (unsigned) hook->timeout.v : 0,
        };
        int r = input < 0 ? error_errnof(reterr, input, "the state cannot be written") : program_run(&program, reterr);

        return r < 0 ? error_prefixf(reterr, "hook %s", hook->path) : 0;
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

static int run_number(SpecHookKind kind, const SpecHook *hook, size_t i, const Text *state, const Setting *setting,
                      Error *reterr) {
        _cleanup_error_ Error error = {};
        uint64_t begin = now_usec();
        int r = run(hook, state, setting, &error);

        log_info("hook %s #%zu: %s: %.1f ms", spec_hook_names[kind], i, hook->path, log_msec_since(begin));
        if (r < 0)
                error_prefixf(&error, "error running %s hook #%zu", spec_hook_names[kind], i);
        return settle(kind, &error, reterr);
}

/* What has ended the container already is not meant for what cleans up after it. */
static void forget_signals(void) {
        while (signals_take_interrupt() > 0)
                ;
}

int hooks_run(const HookState *state, SpecHookKind kind, const SpecHooks *hooks, Error *reterr) {
        Setting setting = { .out = -EBADF, .err = -EBADF, .environment = state->caller->environment };
        _cleanup_text_ Text text = {}, tail = {};
        _cleanup_error_ Error error = {};
        int r;

        if (hooks->n == 0)
                return 0;
        if (kind == HOOK_POSTSTOP)
                forget_signals();
        if (open_annotated(state->spec, "run.oci.hooks.stdout", &setting.out, &error) == 0)
                (void) open_annotated(state->spec, "run.oci.hooks.stderr", &setting.err, &error);
        r = settle(kind, &error, reterr);
        state_json_hook(state->spec, state->id, state->status, state->bundle, &text, &tail);
        text_addf(&text, "%d", state->pid);
        text_add(&text, tail.s);
        for (size_t i = 0; i < hooks->n && r == 0; i++)
                r = run_number(kind, &hooks->hooks[i], i, &text, &setting, reterr);
        close_fd(setting.out);
        close_fd(setting.err);
        return r;
}
