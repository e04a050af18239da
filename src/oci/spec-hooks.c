/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "oci/spec-fields.h"

static const JsonField hook_fields[] = {
        JSON_STRING("path", SpecHook, path, .required = true, .absolute = true),
        JSON_STRINGS("args", SpecHook, args),
        JSON_STRINGS("env", SpecHook, env, .check = spec_check_env),
        JSON_OPT_I32("timeout", SpecHook, timeout, .min = 1, .max = INT32_MAX),
        {}
};

#define HOOKS(name, kind, ...)                                                                              \
        JSON_ARRAY(name, Spec, hooks[kind].hooks, hooks[kind].n, SpecHook, hook_fields, __VA_ARGS__)

const JsonField spec_hooks_fields[] = {
        HOOKS("prestart", HOOK_PRESTART, RUNTIME("executed by create, before createRuntime")),
        HOOKS("createRuntime", HOOK_CREATE_RUNTIME, RUNTIME("executed by create, in its own namespaces")),
        HOOKS("createContainer", HOOK_CREATE_CONTAINER,
              HELPER("executed before pivot_root, outside of a pid namespace that is joined, and if root makes a user "
                     "namespace in the rootfs as working directory; what it leaves running in a new pid namespace is "
                     "ended; refused with a mount namespace that is joined")),
        HOOKS("startContainer", HOOK_START_CONTAINER, HELPER("executed before the process, with its filter")),
        HOOKS("poststart", HOOK_POSTSTART, RUNTIME("executed by start, in its own namespaces")),
        HOOKS("poststop", HOOK_POSTSTOP, RUNTIME("executed by delete, in its own namespaces")),
        {}
};

const char *const spec_hook_names[_HOOK_KINDS] = {
        [HOOK_PRESTART] = "prestart",
        [HOOK_CREATE_RUNTIME] = "createRuntime",
        [HOOK_CREATE_CONTAINER] = "createContainer",
        [HOOK_START_CONTAINER] = "startContainer",
        [HOOK_POSTSTART] = "poststart",
        [HOOK_POSTSTOP] = "poststop",
};
