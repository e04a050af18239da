/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "oci/state-json.h"
#include "plan/init/internal.h"

static int open_log(InitBuild *b, const char *key, InitSlot *ret_slot) {
        const char *path;
        int r;

        r = spec_annotation_path(b->spec, key, &path, b->reterr);
        if (r < 0 || !path || b->spec->hooks[HOOK_CREATE_CONTAINER].n == 0)
                return r;
        r = build_slot(b, ret_slot);
        if (r < 0)
                return r;
        *init_add_open_log(b->plan, NULL) = (InitOpenLog){ .path = path, .slot = *ret_slot };
        return 0;
}

/* crun's annotations. For hooks whose program is the host's: those of startContainer are the container's own, and would
 * hold a file of the host open. */
int build_open_hook_logs(InitBuild *b) {
        int r = open_log(b, "run.oci.hooks.stdout", &b->hook_stdout);

        return r < 0 ? r : open_log(b, "run.oci.hooks.stderr", &b->hook_stderr);
}

/*
 * A hook without an environment has that of who runs it. That is not in the specification, but relied upon: PATH, HOME and
 * what an engine has set for its hooks are the caller's, and those of startContainer, which other runtimes run from within
 * the container, have what the container's process has.
 */
static void add_environment(const InitBuild *b, SpecHookKind kind, const SpecHook *hook, InitHook *s) {
        static const char *nothing[] = { NULL };
        bool inside = kind == HOOK_START_CONTAINER && b->process;

        s->home = inside && !hook->env;
        if (hook->env)
                s->env = hook->env;
        else if (inside)
                s->env = b->env;
        else
                s->env = (const char **) b->request->environment ?: nothing;
}

static void add_hooks(InitBuild *b, SpecHookKind kind, const char *status) {
        const SpecHooks *hooks = &b->spec->hooks[kind];
        _cleanup_text_ Text head = {}, tail = {};
        bool outside = kind == HOOK_CREATE_CONTAINER;
        const char *state_head, *state_tail;

        if (hooks->n == 0)
                return;
        state_json_hook(b->spec, b->id, status, b->bundle, &head, &tail);
        state_head = arena_strdup(b->arena, head.s);
        state_tail = arena_strdup(b->arena, tail.s);
        for (size_t i = 0; i < hooks->n; i++) {
                const SpecHook *hook = &hooks->hooks[i];
                const char *origin = arena_printf(b->arena, "error running %s hook #%zu", spec_hook_names[kind], i);
                InitHook *s = init_add_hook(b->plan, origin);

                *s = (InitHook){
                        .path = hook->path,
                        .state_head = state_head,
                        .state_tail = state_tail,
                        .timeout = hook->timeout.set ? (uint32_t) hook->timeout.v : 0,
                        .stdout_ = outside ? b->hook_stdout : 0,
                        .stderr_ = outside ? b->hook_stderr : 0,
                        .in_rootfs = outside && build_enters_rootfs(b),
                        .args = hook->args,
                };
                add_environment(b, kind, hook, s);
        }
}

/* "After the runtime environment has been created": all namespaces, all mounts, the final cgroup. The launcher hears of
 * it even if it has no hook to run: from here on a failure calls for the poststop hooks. */
void build_mount_hooks(InitBuild *b) {
        if (!build_has_mount_hooks(b))
                return;
        build_enter_cgroup(b);
        init_add_runtime_hooks(b->plan, NULL);
        add_hooks(b, HOOK_CREATE_CONTAINER, "creating");
}

void build_start_hooks(InitBuild *b) {
        if (b->spec->hooks[HOOK_START_CONTAINER].n > 0)
                build_filter_of_hooks(b);
        add_hooks(b, HOOK_START_CONTAINER, "created");
}
