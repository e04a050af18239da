/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <linux/mount.h>
#include <linux/seccomp.h>
#include <sys/capability.h>

#include "basic/names.h"
#include "plan/init/operands.h"

#define WAIT_KILLABLE_RECV (1U << 5) /* SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, since Linux 5.19 */

/* The access time is a field of several bits, cleared as a whole ("atime"). */
static const Name attr_names[] = {
        { "ro", MOUNT_ATTR_RDONLY }, { "nosuid", MOUNT_ATTR_NOSUID }, { "nodev", MOUNT_ATTR_NODEV },
        { "noexec", MOUNT_ATTR_NOEXEC }, { "atime", MOUNT_ATTR__ATIME }, { "noatime", MOUNT_ATTR_NOATIME },
        { "strictatime", MOUNT_ATTR_STRICTATIME }, { "nodiratime", MOUNT_ATTR_NODIRATIME },
        { "nosymfollow", MOUNT_ATTR_NOSYMFOLLOW },
        {},
};

static const Name super_names[] = {
        { "ro", MS_RDONLY }, { "sync", MS_SYNCHRONOUS }, { "dirsync", MS_DIRSYNC }, { "mand", MS_MANDLOCK },
        { "lazytime", MS_LAZYTIME }, { "silent", MS_SILENT }, { "iversion", MS_I_VERSION },
        {},
};

static const Name propagation_names[] = {
        { "shared", MS_SHARED }, { "slave", MS_SLAVE }, { "private", MS_PRIVATE }, { "unbindable", MS_UNBINDABLE },
        { "recursive", MS_REC },
        {},
};

static const Name extra_names[] = {
        { "copy-up", INIT_COPY_UP }, { "host-fallback", INIT_HOST_FALLBACK }, { "target-file", INIT_TARGET_FILE },
        { "no-target-symlink", INIT_NO_TARGET_SYMLINK }, { "recursive", INIT_RECURSIVE },
        { "target-on-proc", INIT_TARGET_ON_PROC }, { "source-proc", INIT_SOURCE_PROC },
        { "target-mode", INIT_TARGET_MODE }, { "no-source-follow", INIT_NO_SOURCE_FOLLOW },
        { "no-target-follow", INIT_NO_TARGET_FOLLOW }, { "copy-symlink", INIT_COPY_SYMLINK },
        { "source-in-root", INIT_SOURCE_IN_ROOT }, { "locked", INIT_LOCKED },
        {},
};

static const Name seccomp_names[] = {
        { "tsync", SECCOMP_FILTER_FLAG_TSYNC }, { "log", SECCOMP_FILTER_FLAG_LOG },
        { "spec-allow", SECCOMP_FILTER_FLAG_SPEC_ALLOW }, { "wait-killable-recv", WAIT_KILLABLE_RECV },
        {},
};

static const Name no_names[] = { {} };

static const Name set_names[] = { { "mode", INIT_SET_MODE }, { "owner", INIT_SET_OWNER }, {} };

static void print_flags(Text *t, const Name *names, uint64_t flags) {
        const char *separator = "";

        for (; names->name; names++) {
                uint64_t flag = (uint64_t) names->value;

                if ((flags & flag) == flag) {
                        text_addf(t, "%s%s", separator, names->name);
                        flags &= ~flag;
                        separator = ",";
                }
        }
        if (flags != 0)
                text_addf(t, "%s0x%" PRIx64, separator, flags);
}

/* "chown"; its number if libcap has no name for it. */
static void print_capability(Text *t, cap_value_t cap) {
        char *name = cap_to_name(cap);

        text_add(t, name ? startswith(name, "cap_") ?: name : "?");
        cap_free(name);
}

void init_plan_print_capabilities(Text *t, uint64_t mask) {
        const char *separator = "";

        if (mask == 0)
                text_add(t, "none");
        for (cap_value_t cap = 0; cap < 64; cap++)
                if (mask >> cap & 1) {
                        text_add(t, separator);
                        print_capability(t, cap);
                        separator = ",";
                }
}

static bool is_flags(const InitOperand *row) {
        return row->kind >= OPERAND_NAMESPACES;
}

static void print_flag_number(Text *t, const InitOperand *row, uint64_t v) {
        static const Name *const names[] = {
                [OPERAND_NAMESPACES] = namespace_names,
                [OPERAND_ATTRS] = attr_names,
                [OPERAND_SUPER] = super_names,
                [OPERAND_PROPAGATION] = propagation_names,
                [OPERAND_EXTRA] = extra_names,
                [OPERAND_SET] = set_names,
                [OPERAND_SECCOMP_FLAGS] = seccomp_names,
                [OPERAND_HEX] = no_names,
        };

        print_flags(t, names[row->kind], v);
}

static void print_plain_number(Text *t, const InitOperand *row, uint64_t v) {
        switch (row->kind) {
        case OPERAND_SLOT:
        case OPERAND_SLOT_OR_NONE:
                text_addf(t, "%" PRIu64, v - 1);
                break;
        case OPERAND_SIGNED:
                text_addf(t, "%" PRIi64, (int64_t) v);
                break;
        case OPERAND_MODE:
                text_addf(t, "0%" PRIo64, v);
                break;
        case OPERAND_NODE_TYPE:
                text_addf(t, "%c", v > ' ' && v < 0x7f ? (char) v : '?');
                break;
        case OPERAND_CAPS:
                init_plan_print_capabilities(t, v);
                break;
        case OPERAND_RESOURCE:
                text_add(t, name_of(rlimit_names, (int) v) ?: "?");
                break;
        default:
                if (row->kind == OPERAND_ID && v == INIT_KEEP_ID)
                        text_add(t, "-1");
                else if (row->kind == OPERAND_SIZE && v == UINT64_MAX)
                        text_add(t, "infinity");
                else
                        text_addf(t, "%" PRIu64, v);
        }
}

/* What is "a_b" in C; a name that C has no use for ends in '_' there. */
static void print_name(Text *t, const char *name) {
        for (; *name; name++)
                if (*name != '_')
                        text_addn(t, name, 1);
                else if (name[1])
                        text_add(t, "-");
}

static void begin_operand(Text *t, const InitOperand *row, const char *end) {
        text_add(t, " ");
        print_name(t, row->name);
        text_add(t, end);
}

static void print_number(Text *t, const InitOperand *row, uint64_t v) {
        bool goes_without_saying = is_flags(row) || row->kind == OPERAND_BOOL || row->kind == OPERAND_UNSIGNED_OR_NONE ||
                                   row->kind == OPERAND_SLOT_OR_NONE;

        if (v == 0 && goes_without_saying)
                return;
        begin_operand(t, row, row->kind == OPERAND_BOOL ? "" : "=");
        if (is_flags(row))
                print_flag_number(t, row, v);
        else if (row->kind != OPERAND_BOOL)
                print_plain_number(t, row, v);
}

/* [a,b,c]; a comma inside an element is escaped. */
static void print_list(Text *t, const char **list) {
        text_add(t, "[");
        for (size_t i = 0; list[i]; i++) {
                text_add(t, i > 0 ? "," : "");
                text_add_escaped(t, list[i], " ,");
        }
        text_add(t, "]");
}

static void print_operand(Text *t, const InitStep *step, const InitOperand *row) {
        const void *p = init_operand(step, row);

        switch (row->kind) {
        case OPERAND_STRING:
        case OPERAND_STRING_OR_NONE:
                if (!*(const char *const *) p)
                        return;
                begin_operand(t, row, "=");
                return text_add_escaped(t, *(const char *const *) p, " ");
        case OPERAND_LIST:
        case OPERAND_LIST_OR_NONE:
                if (!*(const char **const *) p)
                        return;
                begin_operand(t, row, "=");
                return print_list(t, *(const char **const *) p);
        case OPERAND_BLOB:
        case OPERAND_BLOB_OR_NONE:
                return;
        default:
                print_number(t, row, init_operand_number(step, row));
        }
}

const char *init_op_name(InitOp op) {
        static const char *const names[_INIT_OP_MAX] = {
#define STEP(OP, step, ...) [INIT_##OP] = #step,
#include "plan/init/steps.def"
        };

        return op < _INIT_OP_MAX && names[op] ? names[op] : "?";
}

static void print(const InitPlan *plan, bool origins, Text *text) {
        for (size_t i = 0; i < plan->warnings.n; i++)
                text_addf(text, "# %s\n", plan->warnings.s[i]);
        if (plan->launcher_schedules)
                text_add(text, "# the launcher sets scheduler and I/O priority\n");
        if (plan->launcher_gives_stdio)
                text_add(text, "# the launcher gives the pipes on 0, 1, 2 to the user\n");
        if (plan->piped) {
                text_add(text, "# the launcher gives pipes in the place of");
                for (unsigned fd = 0; fd < 3; fd++)
                        if (plan->piped & 1U << fd)
                                text_addf(text, " %u", fd);
                text_add(text, "\n");
        }
        for (const InitStep *step = plan->steps; step < plan->steps + plan->n_steps; step++) {
                print_name(text, init_op_name(step->op));
                for (const InitOperand *row = init_operands(step->op); row && row->kind; row++)
                        print_operand(text, step, row);
                if (origins && step->origin)
                        text_addf(text, " # %s", step->origin);
                text_add(text, "\n");
        }
}

void init_plan_print(const InitPlan *plan, Text *text) {
        print(plan, false, text);
}

void init_plan_explain(const InitPlan *plan, Text *text) {
        print(plan, true, text);
}
