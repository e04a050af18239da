/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "oci/spec-fields.h"

static const JsonField hook_fields[] = {
        JSON_STRING("path", SpecHook, path, .required = true, .absolute = true),
        JSON_STRINGS("args", SpecHook, args),
        JSON_STRINGS("env", SpecHook, env, .check = spec_check_env),
        JSON_OPT_I32("timeout", SpecHook, timeout, .min = 1, .max = INT32_MAX),
        {}
};

#define HOOKS(name, kind) JSON_ARRAY(name, Spec, hooks[kind].hooks, hooks[kind].n, SpecHook, hook_fields)

const JsonField spec_hooks_fields[] = {
        HOOKS("prestart", HOOK_PRESTART),
        HOOKS("createRuntime", HOOK_CREATE_RUNTIME),
        HOOKS("createContainer", HOOK_CREATE_CONTAINER),
        HOOKS("startContainer", HOOK_START_CONTAINER),
        HOOKS("poststart", HOOK_POSTSTART),
        HOOKS("poststop", HOOK_POSTSTOP),
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
