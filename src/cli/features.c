/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <json-c/json.h>
#include <sys/capability.h>

#include "basic/names.h"
#include "cli/state-object.h"
#include "cli/verb.h"
#include "plan/init/mount-options.h"
#include "version.h"

static json_object *strings(const char *const *list) {
        json_object *array = json_object_new_array();

        for (; list && *list; list++)
                json_object_array_add(array, json_object_new_string(*list));
        return array;
}

static void add_bool(json_object *o, const char *key, bool value) {
        json_object_object_add(o, key, json_object_new_boolean(value));
}

static json_object *enabled(bool value) {
        json_object *o = json_object_new_object();

        add_bool(o, "enabled", value);
        return o;
}

static json_object *mount_options(void) {
        json_object *array = json_object_new_array();

        for (size_t i = 0; mount_option_name(i); i++)
                json_object_array_add(array, json_object_new_string(mount_option_name(i)));
        return array;
}

/* Those that libcap can name and this kernel knows. */
static json_object *capabilities(void) {
        json_object *array = json_object_new_array();

        for (cap_value_t cap = 0; cap < cap_max_bits(); cap++) {
                char *name = cap_to_name(cap);

                if (!name)
                        continue;
                for (char *p = name; *p; p++)
                        *p = (char) toupper((unsigned char) *p);
                if (startswith(name, "CAP_"))
                        json_object_array_add(array, json_object_new_string(name));
                cap_free(name);
        }
        return array;
}

static json_object *cgroup(void) {
        json_object *o = json_object_new_object();

        add_bool(o, "v1", false);
        add_bool(o, "v2", true);
        add_bool(o, "systemd", true);
        add_bool(o, "systemdUser", true);
        add_bool(o, "rdma", true);
        return o;
}

static json_object *mount_extensions(void) {
        json_object *o = json_object_new_object();

        json_object_object_add(o, "idmap", enabled(true));
        return o;
}

static json_object *namespaces(void) {
        json_object *array = json_object_new_array();

        for (const Name *type = namespace_names; type->name; type++)
                json_object_array_add(array, json_object_new_string(type->name));
        return array;
}

static json_object *memory_policy(void) {
        json_object *o = json_object_new_object();

        json_object_object_add(o, "modes", strings(memory_policy_modes));
        json_object_object_add(o, "flags", strings(memory_policy_flags));
        return o;
}

static json_object *intel_rdt(void) {
        json_object *o = enabled(true);

        add_bool(o, "schemata", true);
        add_bool(o, "monitoring", true);
        return o;
}

/* All but one are older than the oldest kernel that we run on. */
static json_object *supported_flags(void) {
        json_object *array = json_object_new_array();

        for (const char *const *flag = seccomp_filter_flags; *flag; flag++)
                if (!streq(*flag, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV") || runtime_seccomp_waits_killable())
                        json_object_array_add(array, json_object_new_string(*flag));
        return array;
}

static json_object *seccomp(void) {
        json_object *o = enabled(true);

        json_object_object_add(o, "actions", strings(seccomp_actions));
        json_object_object_add(o, "operators", strings(seccomp_operators));
        json_object_object_add(o, "archs", strings(seccomp_architectures));
        json_object_object_add(o, "knownFlags", strings(seccomp_filter_flags));
        json_object_object_add(o, "supportedFlags", supported_flags());
        return o;
}

static json_object *annotations(void) {
        json_object *o = json_object_new_object();

        json_object_object_add(o, "ocirt-sd.version", json_object_new_string(OCIRT_VERSION));
        json_object_object_add(o, "ocirt-sd.commit", json_object_new_string(OCIRT_COMMIT));
        return o;
}

static int features(const Runtime *rt, void *target, char **words, Error *reterr) {
        static const char *const unsafe[] = { "org.systemd.property.", "run.oci.", NULL };
        json_object *o = json_object_new_object(), *l = json_object_new_object(), *hooks = json_object_new_array();

        for (int i = 0; i < _HOOK_KINDS; i++)
                json_object_array_add(hooks, json_object_new_string(spec_hook_names[i]));
        json_object_object_add(o, "ociVersionMin", json_object_new_string("1.0.0"));
        json_object_object_add(o, "ociVersionMax", json_object_new_string(OCIRT_SPEC_VERSION));
        json_object_object_add(o, "hooks", hooks);
        json_object_object_add(o, "mountOptions", mount_options());
        json_object_object_add(l, "namespaces", namespaces());
        json_object_object_add(l, "capabilities", capabilities());
        json_object_object_add(l, "cgroup", cgroup());
        json_object_object_add(l, "seccomp", seccomp());
        json_object_object_add(l, "apparmor", enabled(true));
        json_object_object_add(l, "selinux", enabled(true));
        json_object_object_add(l, "memoryPolicy", memory_policy());
        json_object_object_add(l, "intelRdt", intel_rdt());
        json_object_object_add(l, "netDevices", enabled(true));
        json_object_object_add(l, "mountExtensions", mount_extensions());
        json_object_object_add(o, "linux", l);
        json_object_object_add(o, "annotations", annotations());
        json_object_object_add(o, "potentiallyUnsafeConfigAnnotations", strings(unsafe));
        print_object(o, true);
        json_object_put(o);
        return 0;
}

const Verb verb_features = {
        .name = "features", .arguments = "", .summary = "Print what this runtime can do as JSON",
        .order = OPTIONS_ANYWHERE, .stateless = true, .run = features,
};
