/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <linux/ioprio.h>
#include <linux/sched.h>
#include <sys/capability.h>
#include <sys/resource.h>

#include "basic/str.h"
#include "oci/spec-fields.h"

/* runc refuses both as well; what execve(2) would make of them is never what was meant. Names that come twice
 * stay: which of them counts is for those who build the environment. */
int spec_check_env(const JsonNode *node, void *string) {
        const char *s = *(const char **) string;

        if (s[0] == '=')
                return json_error(node, NULL, EINVAL, "\"%s\" has no name before the '='", s);
        if (!strchr(s, '='))
                return json_error(node, NULL, EINVAL, "\"%s\" is not of the form NAME=value", s);
        return 0;
}

/* "Runtimes MUST ignore consoleSize if terminal is false or unset", so even nonsense is no error then. */
static int read_console_size(const JsonNode *node, const JsonField *f, void *to) {
        SpecProcess *p = to;

        if (!json_has_true(node->parent, "terminal"))
                return 0;
        p->has_console_size = true;
        return json_read_fields(node, f->fields, p);
}

static const JsonField console_size_fields[] = {
        JSON_U16("height", SpecProcess, console_height, .required = true),
        JSON_U16("width", SpecProcess, console_width, .required = true),
        {}
};

/* uid and gid are required by the text but not by the schema; Go programs read 0 for what is not there. */
static const JsonField user_fields[] = {
        JSON_U32("uid", SpecProcess, uid, SPEC_ID_MAX, HELPER("setresuid")),
        JSON_U32("gid", SpecProcess, gid, SPEC_ID_MAX, HELPER("setresgid")),
        JSON_OPT_U32("umask", SpecProcess, umask, .max = 07777, HELPER("umask")),
        JSON_U32S("additionalGids", SpecProcess, additional_gids, n_additional_gids, SPEC_ID_MAX,
                  HELPER("setgroups")),
        JSON_IGNORED("username", "Windows only"),
        {}
};

/* libcap takes numbers and lower case too, and knows the capabilities of the kernel it was built for. */
uint64_t spec_capability(const char *name) {
        cap_value_t cap;

        if (!startswith(name, "CAP_") || strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") != strlen(name) ||
            cap_from_name(name, &cap) < 0 || cap < 0 || cap > 63)
                return 0;
        return UINT64_C(1) << cap;
}

static int read_capabilities(const JsonNode *node, const JsonField *f, void *to) {
        uint64_t bits = 0;
        size_t n;
        int r;

        r = json_want_array(node, &n);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++) {
                JsonNode child = json_element(node, i);
                const char *name;
                uint64_t bit;

                r = json_want_string(&child, &name);
                if (r < 0)
                        return r;
                bit = spec_capability(name);
                /* "Any value which cannot be mapped to a relevant kernel interface MUST be logged as a warning" */
                if (!bit)
                        json_warn(&child, "unknown capability \"%s\"%s", name,
                                  startswith(name, "CAP_") ? "" : ": they begin with CAP_");
                bits |= bit;
        }
        *(uint64_t *) to = bits;
        return 0;
}

static const JsonField capability_fields[] = {
        JSON_CUSTOM("bounding", read_capabilities, SpecProcess, capabilities.bounding,
                    HELPER("drops all others, prctl")),
        JSON_CUSTOM("effective", read_capabilities, SpecProcess, capabilities.effective, HELPER("capset")),
        JSON_CUSTOM("inheritable", read_capabilities, SpecProcess, capabilities.inheritable, HELPER("capset")),
        JSON_CUSTOM("permitted", read_capabilities, SpecProcess, capabilities.permitted, HELPER("capset")),
        JSON_CUSTOM("ambient", read_capabilities, SpecProcess, capabilities.ambient,
                    HELPER("prctl, those that are permitted and inheritable")),
        {}
};

static int check_user(const JsonNode *node, void *process) {
        ((SpecProcess *) process)->has_user = true;
        return 0;
}

static int check_capabilities(const JsonNode *node, void *process) {
        ((SpecProcess *) process)->has_capabilities = true;
        return 0;
}

static const JsonField rlimit_fields[] = {
        JSON_NAME("type", SpecRlimit, resource, .required = true, .names = rlimit_names),
        JSON_U64("soft", SpecRlimit, soft, .required = true),
        JSON_U64("hard", SpecRlimit, hard, .required = true),
        {}
};

static int check_rlimit(const JsonNode *node, void *rlimit) {
        const SpecRlimit *l = rlimit;

        if (l->soft > l->hard)
                return json_error(node, "soft", EINVAL, "%llu is more than the hard limit of %llu",
                                  (unsigned long long) l->soft, (unsigned long long) l->hard);
        return 0;
}

/* Kernel patches have given SCHED_ISO this number; Linux has not got it. */
#define SCHED_ISO_NUMBER 4

static const Name scheduler_policies[] = {
        { "SCHED_OTHER", SCHED_NORMAL },
        { "SCHED_FIFO", SCHED_FIFO },
        { "SCHED_RR", SCHED_RR },
        { "SCHED_BATCH", SCHED_BATCH },
        { "SCHED_ISO", SCHED_ISO_NUMBER },
        { "SCHED_IDLE", SCHED_IDLE },
        { "SCHED_DEADLINE", SCHED_DEADLINE },
        {}
};

static const Name scheduler_flags[] = {
        { "SCHED_FLAG_RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK },
        { "SCHED_FLAG_RECLAIM", SCHED_FLAG_RECLAIM },
        { "SCHED_FLAG_DL_OVERRUN", SCHED_FLAG_DL_OVERRUN },
        { "SCHED_FLAG_KEEP_POLICY", SCHED_FLAG_KEEP_POLICY },
        { "SCHED_FLAG_KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS },
        { "SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN },
        { "SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX },
        {}
};

static const JsonField scheduler_fields[] = {
        JSON_NAME_U32("policy", SpecScheduler, policy, .required = true, .names = scheduler_policies),
        JSON_I32("nice", SpecScheduler, nice, .min = -20, .max = 19),
        JSON_I32("priority", SpecScheduler, priority, .max = 99),
        JSON_NAMES("flags", SpecScheduler, flags, .names = scheduler_flags),
        JSON_U64("runtime", SpecScheduler, runtime),
        JSON_U64("deadline", SpecScheduler, deadline),
        JSON_U64("period", SpecScheduler, period),
        {}
};

/* sched(7). Without a period it is the deadline. */
static int check_deadline(const JsonNode *node, const SpecScheduler *s) {
        if (s->policy != SCHED_DEADLINE && (s->runtime > 0 || s->deadline > 0 || s->period > 0))
                return json_error(node, NULL, EINVAL, "runtime, deadline and period go with SCHED_DEADLINE only");
        if (s->policy != SCHED_DEADLINE)
                return 0;
        if (s->runtime == 0 || s->deadline == 0)
                return json_error(node, s->runtime == 0 ? "runtime" : "deadline", EINVAL, "SCHED_DEADLINE needs one");
        if (s->runtime > s->deadline || (s->period > 0 && s->deadline > s->period))
                return json_error(node, "deadline", EINVAL, "must be between runtime and period");
        return 0;
}

static int check_scheduler(const JsonNode *node, void *scheduler) {
        const SpecScheduler *s = scheduler;
        bool real_time = s->policy == SCHED_FIFO || s->policy == SCHED_RR;

        if (s->policy == SCHED_ISO_NUMBER)
                return json_error(node, "policy", EOPNOTSUPP, "SCHED_ISO is not supported by Linux");
        if (s->priority != 0 && !real_time)
                return json_error(node, "priority", EINVAL, "only SCHED_FIFO and SCHED_RR have a priority");
        if (s->priority == 0 && real_time)
                return json_error(node, "priority", EINVAL, "SCHED_FIFO and SCHED_RR need one from 1 to 99");
        if (s->nice != 0 && s->policy != SCHED_NORMAL && s->policy != SCHED_BATCH)
                json_warn(node, "nice has no effect: only SCHED_OTHER and SCHED_BATCH know it");
        return check_deadline(node, s);
}

/* While it is read: the class and the priority, as the kernel wants them together in the end. */
typedef struct IoPriority { int class; int32_t priority; } IoPriority;

static const Name io_priority_classes[] = {
        { "IOPRIO_CLASS_RT", IOPRIO_CLASS_RT },
        { "IOPRIO_CLASS_BE", IOPRIO_CLASS_BE },
        { "IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE },
        {}
};

static const JsonField io_priority_fields[] = {
        JSON_NAME("class", IoPriority, class, .required = true, .names = io_priority_classes),
        JSON_I32("priority", IoPriority, priority, .max = 7),
        {}
};

static int read_io_priority(const JsonNode *node, const JsonField *f, void *to) {
        IoPriority p = {};
        int r;

        r = json_read_fields(node, io_priority_fields, &p);
        if (r < 0)
                return r;
        *(OptI32 *) to = (OptI32){ .set = true, .v = p.class << IOPRIO_CLASS_SHIFT | p.priority };
        return 0;
}

static const JsonField cpu_affinity_fields[] = {
        JSON_STRING("initial", SpecProcess, cpu_affinity_initial, .check = spec_check_list,
                    RUNTIME("sched_setaffinity, before exec makes the process")),
        JSON_STRING("final", SpecProcess, cpu_affinity_final, .check = spec_check_list,
                    HELPER("sched_setaffinity, of exec when it is in the cgroup")),
        {}
};

const JsonField spec_process_fields[] = {
        JSON_BOOL("terminal", SpecProcess, terminal, HELPER("a pseudo terminal, whose master goes to the caller")),
        { .name = "consoleSize", .read = read_console_size, .fields = console_size_fields,
          HELPER("ioctl, of the terminal") },
        JSON_STRING("cwd", SpecProcess, cwd, .required = true, .absolute = true,
                    HELPER("chdir; made if it is missing")),
        JSON_STRINGS("env", SpecProcess, env, .never_null = true, .check = spec_check_env, HELPER("execve")),
        JSON_STRINGS("args", SpecProcess, args, .not_empty = true, HELPER("execve")),
        JSON_IGNORED("commandLine", "Windows only"),
        JSON_ARRAY("rlimits", SpecProcess, rlimits, n_rlimits, SpecRlimit, rlimit_fields, .check = check_rlimit,
                   HELPER("setrlimit")),
        JSON_STRING("apparmorProfile", SpecProcess, apparmor_profile, HELPER("attr/apparmor/exec in /proc")),
        JSON_STRING("selinuxLabel", SpecProcess, selinux_label, HELPER("attr/exec in /proc")),
        JSON_INLINE("capabilities", capability_fields, .check = check_capabilities),
        JSON_BOOL("noNewPrivileges", SpecProcess, no_new_privileges, HELPER("prctl")),
        JSON_OPT_I32("oomScoreAdj", SpecProcess, oom_score_adj, .min = -1000, .max = 1000,
                     HELPER("oom_score_adj in /proc")),
        JSON_POINTER("scheduler", SpecProcess, scheduler, SpecScheduler, scheduler_fields,
                     .check = check_scheduler, HELPER("sched_setattr")),
        JSON_CUSTOM("ioPriority", read_io_priority, SpecProcess, io_priority, .fields = io_priority_fields,
                    HELPER("ioprio_set")),
        JSON_INLINE("execCPUAffinity", cpu_affinity_fields),
        JSON_INLINE("user", user_fields, .check = check_user),
        {}
};

int spec_check_process(const JsonNode *node, void *process) {
        const SpecProcess *p = process;
        uint32_t seen = 0;

        for (size_t i = 0; i < p->n_rlimits; i++) {
                uint32_t bit = 1U << p->rlimits[i].resource;

                if (seen & bit)
                        return json_error(node, "rlimits", EINVAL, "%s is given twice",
                                          name_of(rlimit_names, p->rlimits[i].resource));
                seen |= bit;
        }
        return 0;
}
