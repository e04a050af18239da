/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/str.h"
#include "oci/spec-fields.h"

/* The kernel takes larger errno values for this one. */
#define ERRNO_MAX 4095U

const char *const seccomp_operators[] = {
        "SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ",
        "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ", NULL,
};

const char *const seccomp_actions[] = {
        "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD",
        "SCMP_ACT_TRAP", "SCMP_ACT_TRACE", "SCMP_ACT_LOG", "SCMP_ACT_NOTIFY", NULL,
};

const char *const seccomp_architectures[] = {
        "SCMP_ARCH_X86", "SCMP_ARCH_X86_64", "SCMP_ARCH_X32", "SCMP_ARCH_ARM", "SCMP_ARCH_AARCH64",
        "SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_M68K", "SCMP_ARCH_MIPS", "SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS64N32",
        "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC", "SCMP_ARCH_PPC64",
        "SCMP_ARCH_PPC64LE", "SCMP_ARCH_S390", "SCMP_ARCH_S390X", "SCMP_ARCH_SH", "SCMP_ARCH_SHEB",
        "SCMP_ARCH_PARISC", "SCMP_ARCH_PARISC64", "SCMP_ARCH_RISCV64", NULL,
};

const char *const seccomp_filter_flags[] = {
        "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
        "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", NULL,
};

static const JsonField arg_fields[] = {
        JSON_U32("index", SpecSeccompArg, index, .required = true, .max = 5),
        JSON_U64("value", SpecSeccompArg, value, .required = true),
        JSON_U64("valueTwo", SpecSeccompArg, value_two),
        JSON_STRING("op", SpecSeccompArg, op, .required = true, .words = seccomp_operators),
        {},
};

/* A name that is none of a system call here may be one elsewhere, or in a later version of Linux. */
static int check_syscall_name(const JsonNode *node, void *name) {
        const char *s = *(const char **) name;

        if (s[0] == '\0' ||
            strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != strlen(s))
                return json_error(node, NULL, EINVAL, "\"%s\" cannot be the name of a system call", s);
        return 0;
}

static const JsonField syscall_fields[] = {
        JSON_STRINGS("names", SpecSyscall, names, .required = true, .not_empty = true, .check = check_syscall_name),
        JSON_STRING("action", SpecSyscall, action, .required = true, .words = seccomp_actions),
        JSON_OPT_U32("errnoRet", SpecSyscall, errno_ret, .max = UINT16_MAX),
        JSON_ARRAY("args", SpecSyscall, args, n_args, SpecSeccompArg, arg_fields),
        {}
};

/* "When the action doesn't support an errno, the runtime MUST print an error and fail." */
static int check_errno(const JsonNode *node, const char *member, const char *action, OptU32 value) {
        bool is_errno = streq(action, "SCMP_ACT_ERRNO");

        if (value.set && !is_errno && !streq(action, "SCMP_ACT_TRACE"))
                return json_error(node, member, EINVAL, "%s takes no value", action);
        if (value.set && is_errno && value.v > ERRNO_MAX)
                return json_error(node, member, EINVAL, "%u is out of range (0 to %u)", value.v, ERRNO_MAX);
        return 0;
}

/* Whoever sets the filter up still has to hand over the listener: with these two calls stopped until somebody
 * answers, nobody ever would. */
static int check_syscall(const JsonNode *node, void *rule) {
        const SpecSyscall *s = rule;

        if (streq(s->action, "SCMP_ACT_NOTIFY"))
                for (const char **name = s->names; *name; name++)
                        if (streq(*name, "write") || streq(*name, "sendmsg"))
                                return json_error(node, "action", EINVAL,
                                                  "SCMP_ACT_NOTIFY cannot be used for the %s syscall", *name);
        return check_errno(node, "errnoRet", s->action, s->errno_ret);
}

const JsonField spec_seccomp_fields[] = {
        JSON_STRING("defaultAction", SpecSeccomp, default_action, .required = true, .words = seccomp_actions),
        JSON_OPT_U32("defaultErrnoRet", SpecSeccomp, default_errno_ret, .max = UINT16_MAX),
        JSON_STRINGS("architectures", SpecSeccomp, architectures, .never_null = true, .words = seccomp_architectures),
        JSON_STRINGS("flags", SpecSeccomp, flags, .never_null = true, .words = seccomp_filter_flags),
        JSON_STRING("listenerPath", SpecSeccomp, listener_path, RUNTIME("sends the listener there")),
        JSON_STRING("listenerMetadata", SpecSeccomp, listener_metadata, RUNTIME("sends it with the listener")),
        JSON_ARRAY("syscalls", SpecSeccomp, syscalls, n_syscalls, SpecSyscall, syscall_fields,
                   .check = check_syscall),
        {}
};

static bool notifies(const SpecSeccomp *s) {
        for (size_t i = 0; i < s->n_syscalls; i++)
                if (streq(s->syscalls[i].action, "SCMP_ACT_NOTIFY"))
                        return true;
        return false;
}

int spec_check_seccomp(const JsonNode *node, void *seccomp) {
        SpecSeccomp *s = seccomp;

        if (streq(s->default_action, "SCMP_ACT_NOTIFY"))
                return json_error(node, "defaultAction", EINVAL, "SCMP_ACT_NOTIFY cannot be the default action");
        /* "If the SCMP_ACT_NOTIFY action is not used this value is ignored." */
        if (!notifies(s)) {
                if (s->listener_metadata && !s->listener_path)
                        return json_error(node, "listenerMetadata", EINVAL, "needs a listenerPath");
                s->listener_path = s->listener_metadata = NULL;
        }
        return check_errno(node, "defaultErrnoRet", s->default_action, s->default_errno_ret);
}

/* The annotation, which is crun's, is older than the property. */
int spec_find_listener(Spec *spec, Error *reterr) {
        SpecSeccomp *s = spec->linux_.seccomp;
        int r;

        if (!s || !notifies(s) || s->listener_path)
                return 0;
        r = spec_annotation_path(spec, "run.oci.seccomp.receiver", &s->listener_path, reterr);
        if (r < 0 || s->listener_path)
                return r;
        return error_setf(reterr, EINVAL, "linux.seccomp.listenerPath: missing, and there is an SCMP_ACT_NOTIFY");
}
