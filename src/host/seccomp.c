/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/seccomp.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "basic/names.h"
#include "host/seccomp-enosys.h"
#include "host/seccomp-library.h"

#define FILTER_MAX (BPF_MAXINSNS * sizeof(struct sock_filter))
#define ARGS_MAX 6
/* From here on the binary tree is shorter than the list; libseccomp 2.5 gets small trees wrong. */
#define TREE_MIN 32

typedef struct Compiler {
        const SeccompLibrary *library;
        const SpecSeccomp *seccomp;
        scmp_filter_ctx ctx;
        uint32_t default_action;
        uint32_t *archs;        /* of the filter */
        size_t n_archs;
        Text *unknown;
        Error *reterr;
} Compiler;

static void compiler_done(Compiler *c) {
        if (c->ctx)
                c->library->release(c->ctx);
        free(c->archs);
}

/* The oci layer knows the names; errno is given only where it has a meaning. */
static uint32_t action_from_name(const char *name, OptU32 errno_ret) {
        uint32_t value = errno_ret.set ? errno_ret.v : EPERM;

        if (streq(name, "SCMP_ACT_ERRNO"))
                return SCMP_ACT_ERRNO(value);
        if (streq(name, "SCMP_ACT_TRACE"))
                return SCMP_ACT_TRACE(value);
        if (streq(name, "SCMP_ACT_ALLOW"))
                return SCMP_ACT_ALLOW;
        if (streq(name, "SCMP_ACT_LOG"))
                return SCMP_ACT_LOG;
        if (streq(name, "SCMP_ACT_TRAP"))
                return SCMP_ACT_TRAP;
        if (streq(name, "SCMP_ACT_NOTIFY"))
                return SCMP_ACT_NOTIFY;
        if (streq(name, "SCMP_ACT_KILL_PROCESS"))
                return SCMP_ACT_KILL_PROCESS;
        return SCMP_ACT_KILL_THREAD; /* and SCMP_ACT_KILL, its old name */
}

static int add_arch(Compiler *c, uint32_t arch) {
        int r;

        for (size_t i = 0; i < c->n_archs; i++)
                if (c->archs[i] == arch)
                        return 0;
        if (c->library->arch_exist(c->ctx, arch) == -EEXIST) {
                r = c->library->arch_add(c->ctx, arch);
                if (r < 0)
                        return r;
        }
        GREW(c->archs, c->n_archs);
        c->archs[c->n_archs++] = arch;
        return 0;
}

/* The native one is always there, whatever the list says: the container's processes are of it. */
static int add_archs(Compiler *c) {
        int r;

        r = add_arch(c, c->library->arch_native());
        for (size_t i = 0; c->seccomp->architectures[i] && r >= 0; i++) {
                const char *name = startswith(c->seccomp->architectures[i], "SCMP_ARCH_");
                char lower[32] = {};
                uint32_t arch;

                for (size_t k = 0; name && name[k] && k < sizeof(lower) - 1; k++)
                        lower[k] = (char) tolower((unsigned char) name[k]);
                arch = c->library->arch_resolve_name(lower);
                if (arch != 0)
                        r = add_arch(c, arch);
        }
        if (r < 0)
                return error_errnof(c->reterr, r, "linux.seccomp.architectures: cannot be in one filter");
        return 0;
}

static struct scmp_arg_cmp convert_arg(const SpecSeccompArg *a) {
        static const Name operators[] = {
                { "SCMP_CMP_NE", SCMP_CMP_NE },
                { "SCMP_CMP_LT", SCMP_CMP_LT },
                { "SCMP_CMP_LE", SCMP_CMP_LE },
                { "SCMP_CMP_EQ", SCMP_CMP_EQ },
                { "SCMP_CMP_GE", SCMP_CMP_GE },
                { "SCMP_CMP_GT", SCMP_CMP_GT },
                { "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ },
                {},
        };
        const Name *compare = name_find(operators, a->op);

        assert(compare);
        return (struct scmp_arg_cmp){ a->index, (enum scmp_compare) compare->value, a->value, a->value_two };
}

/* Conditions are all to be met. libseccomp takes one for each argument; where there are more, each becomes a
 * rule of its own and any of them is enough: so Docker's profiles have meant it from the beginning. */
static int add_rule(Compiler *c, const SpecSyscall *rule, uint32_t action, int number) {
        struct scmp_arg_cmp args[ARGS_MAX];
        bool seen[ARGS_MAX] = {}, repeated = false;
        int r;

        for (size_t i = 0; i < rule->n_args; i++) {
                repeated = repeated || seen[rule->args[i].index];
                seen[rule->args[i].index] = true;
        }
        if (!repeated) {
                for (size_t i = 0; i < rule->n_args; i++)
                        args[i] = convert_arg(rule->args + i);
                return c->library->rule_add_array(c->ctx, action, number, (unsigned) rule->n_args, args);
        }
        for (size_t i = 0; i < rule->n_args; i++) {
                args[0] = convert_arg(rule->args + i);
                r = c->library->rule_add_array(c->ctx, action, number, 1, args);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_rules(Compiler *c) {
        for (size_t i = 0; i < c->seccomp->n_syscalls; i++) {
                const SpecSyscall *rule = c->seccomp->syscalls + i;
                uint32_t action = action_from_name(rule->action, rule->errno_ret);

                /* libseccomp refuses rules that say what happens anyway. */
                if (action == c->default_action)
                        continue;
                for (const char **name = rule->names; *name; name++) {
                        int r, number = c->library->syscall_resolve_name(*name);

                        if (number == __NR_SCMP_ERROR) {
                                text_addf(c->unknown, "%s%s", c->unknown->n > 0 ? ", " : "", *name);
                                continue;
                        }
                        r = add_rule(c, rule, action, number);
                        if (r < 0)
                                return error_errnof(c->reterr, r,
                                                    "linux.seccomp.syscalls[%zu]: no rule for \"%s\"", i,
                                                    *name);
                }
        }
        return 0;
}

static int export_filter(Compiler *c, Text *ret) {
        _cleanup_free_ char *bytes = NULL;
        _cleanup_close_ int fd = -EBADF;
        size_t size = 0;
        int r;

        if (c->library->export_bpf_mem) {
                r = c->library->export_bpf_mem(c->ctx, NULL, &size);
                if (r < 0)
                        return r;
                bytes = xmalloc0(size);
                r = c->library->export_bpf_mem(c->ctx, bytes, &size);
        } else {
                fd = memfd_create("ocirt-sd-seccomp", MFD_CLOEXEC);
                if (fd < 0)
                        return -errno;
                r = c->library->export_bpf(c->ctx, fd);
                if (r < 0)
                        return r;
                if (lseek(fd, 0, SEEK_SET) < 0)
                        return -errno;
                r = read_file_fd(fd, 2 * FILTER_MAX, &bytes, &size);
        }
        if (r < 0)
                return r;
        text_addn(ret, bytes, size);
        return 0;
}

static int compile(Compiler *c, Text *ret) {
        int r;

        c->default_action = action_from_name(c->seccomp->default_action, c->seccomp->default_errno_ret);
        c->ctx = c->library->init(c->default_action);
        if (!c->ctx)
                return error_setf(c->reterr, EINVAL, "linux.seccomp.defaultAction: libseccomp has no %s",
                                  c->seccomp->default_action);
        r = add_archs(c);
        if (r < 0)
                return r;
        if (c->seccomp->n_syscalls > 0) {
                size_t n = 0;

                for (size_t i = 0; i < c->seccomp->n_syscalls; i++)
                        for (const char **name = c->seccomp->syscalls[i].names; *name; name++)
                                n++;
                if (n > TREE_MIN)
                        (void) c->library->attr_set(c->ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
        }
        r = add_rules(c);
        if (r < 0)
                return r;
        seccomp_enosys_stub(c->library, c->seccomp, c->archs, c->n_archs, ret);
        r = export_filter(c, ret);
        if (r < 0)
                return error_errnof(c->reterr, r, "linux.seccomp: libseccomp cannot make the filter");
        if (ret->n > FILTER_MAX)
                return error_setf(c->reterr, E2BIG,
                                  "linux.seccomp: a filter of %zu instructions, Linux takes %d",
                                  ret->n / sizeof(struct sock_filter), BPF_MAXINSNS);
        return 0;
}

int seccomp_compile(const SpecSeccomp *seccomp, void **ret, size_t *ret_size, Text *ret_unknown, Error *reterr) {
        _cleanup_(compiler_done) Compiler c = { .seccomp = seccomp, .unknown = ret_unknown, .reterr = reterr };
        _cleanup_text_ Text filter = {};
        int r;

        r = seccomp_library(&c.library, reterr);
        if (r < 0)
                return r;
        r = compile(&c, &filter);
        if (r < 0)
                return r;
        *ret_size = filter.n;
        *ret = TAKE_PTR(filter.s);
        return 0;
}

/* Lengths in front, so that the key can be read in one way only, and no two profiles have the same. */
static void key_add_number(Text *key, uint64_t v) {
        text_addn(key, (const char *) &v, sizeof(v));
}

static void key_add(Text *key, const char *s) {
        size_t n = strlen(s);

        key_add_number(key, n);
        text_addn(key, s, n);
}

static void key_add_list(Text *key, const char **list) {
        size_t n = 0;

        while (list[n])
                n++;
        key_add_number(key, n);
        for (size_t i = 0; i < n; i++)
                key_add(key, list[i]);
}

static void key_add_optional(Text *key, OptU32 o) {
        key_add_number(key, o.set);
        key_add_number(key, o.set ? o.v : 0);
}

void seccomp_cache_key(const SpecSeccomp *seccomp, Text *ret) {
        /* The number changes with what is made of the same profile. */
        key_add(ret, "ocirt-sd seccomp 4");
        key_add(ret, seccomp->default_action);
        key_add_optional(ret, seccomp->default_errno_ret);
        key_add_list(ret, seccomp->architectures);
        key_add_number(ret, seccomp->n_syscalls);
        for (size_t i = 0; i < seccomp->n_syscalls; i++) {
                const SpecSyscall *rule = seccomp->syscalls + i;

                key_add_list(ret, rule->names);
                key_add(ret, rule->action);
                key_add_optional(ret, rule->errno_ret);
                key_add_number(ret, rule->n_args);
                for (size_t k = 0; k < rule->n_args; k++) {
                        key_add_number(ret, rule->args[k].index);
                        key_add(ret, rule->args[k].op);
                        key_add_number(ret, rule->args[k].value);
                        key_add_number(ret, rule->args[k].value_two);
                }
        }
}
