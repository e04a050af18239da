/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <linux/filter.h>

#include "fuzz.h"
#include "host/seccomp-library.h"
#include "host/seccomp.h"
#include "oci/spec-fields.h"
#include "plan/seccomp.h"

/*
 * linux.seccomp to BPF. The filter is such that the kernel takes it, it is the same each time (it is
 * cached), and it is asked what becomes of the system calls that one rule alone is about.
 */

typedef struct Filter {
        const SpecSeccomp *seccomp;
        const SeccompLibrary *library;
        struct sock_filter *code;
        size_t n;
} Filter;

static Spec *parse(const uint8_t *data, size_t size) {
        _cleanup_text_ Text json = {};
        _cleanup_error_ Error e = {};
        Spec *spec = NULL;
        int r;

        text_add(&json, "{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"rootfs\"},\"linux\":{\"seccomp\":");
        text_addn(&json, (const char *) data, size);
        text_add(&json, "}}");
        r = spec_parse(json.s, json.n, &spec, &e);
        if (r < 0)
                check_error(r, &e);
        return spec;
}

/* bpf_check_classic() and seccomp_check_filter() of the kernel. */
static void check_code(const Filter *f) {
        ASSERT(f->n > 0 && f->n <= BPF_MAXINSNS);
        for (size_t pc = 0; pc < f->n; pc++) {
                const struct sock_filter *i = &f->code[pc];

                switch (i->code) {
                case BPF_LD | BPF_W | BPF_ABS:
                        ASSERT(i->k % 4 == 0 && i->k < sizeof(struct seccomp_data));
                        break;
                case BPF_ALU | BPF_AND | BPF_K:
                case BPF_RET | BPF_K:
                        break;
                case BPF_JMP | BPF_JA:
                        ASSERT(i->k < f->n - pc - 1);
                        break;
                case BPF_JMP | BPF_JEQ | BPF_K:
                case BPF_JMP | BPF_JGT | BPF_K:
                case BPF_JMP | BPF_JGE | BPF_K:
                        ASSERT(pc + i->jt + 1 < f->n && pc + i->jf + 1 < f->n);
                        break;
                default:
                        FAIL_AT("instruction %zu has the code %#x", pc, i->code);
                }
        }
        ASSERT_EQ(f->code[f->n - 1].code, BPF_RET | BPF_K);
}

static uint32_t result_of(const char *action, OptU32 errno_ret) {
        static const struct { const char *name; uint32_t result; } results[] = {
                { "SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW },
                { "SCMP_ACT_LOG", SECCOMP_RET_LOG },
                { "SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD },
                { "SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD },
                { "SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS },
                { "SCMP_ACT_TRAP", SECCOMP_RET_TRAP },
                { "SCMP_ACT_NOTIFY", SECCOMP_RET_USER_NOTIF },
        };
        uint32_t value = errno_ret.set ? errno_ret.v : EPERM;

        for (size_t i = 0; i < ELEMENTSOF(results); i++)
                if (streq(results[i].name, action))
                        return results[i].result;
        return (streq(action, "SCMP_ACT_TRACE") ? SECCOMP_RET_TRACE : SECCOMP_RET_ERRNO) | value;
}

static bool matches(const SpecSeccompArg *a, uint64_t v) {
        if (streq(a->op, "SCMP_CMP_NE"))
                return v != a->value;
        if (streq(a->op, "SCMP_CMP_LT"))
                return v < a->value;
        if (streq(a->op, "SCMP_CMP_LE"))
                return v <= a->value;
        if (streq(a->op, "SCMP_CMP_EQ"))
                return v == a->value;
        if (streq(a->op, "SCMP_CMP_GE"))
                return v >= a->value;
        if (streq(a->op, "SCMP_CMP_GT"))
                return v > a->value;
        return (v & a->value) == (a->value_two & a->value); /* as libseccomp means it */
}

/* All conditions, or any of them when two are about the same argument. */
static bool applies(const SpecSyscall *rule, const uint64_t *args) {
        bool all = true, any = false, repeated = false;

        for (size_t i = 0; i < rule->n_args; i++) {
                bool match = matches(&rule->args[i], args[rule->args[i].index]);

                all = all && match;
                any = any || match;
                for (size_t k = 0; k < i; k++)
                        repeated = repeated || rule->args[k].index == rule->args[i].index;
        }
        return repeated ? any : all;
}

static uint32_t ask(const Filter *f, const char *name, const uint64_t *args) {
        struct seccomp_data data = { .arch = f->library->arch_native() };

        data.nr = f->library->syscall_resolve_name(name);
        memcpy(data.args, args, sizeof(data.args));
        return seccomp_run(f->code, f->n * sizeof(struct sock_filter), &data, NULL);
}

/* Arguments on either side of what the conditions name. */
static void check_rule(const Filter *f, const SpecSyscall *rule, const char *name) {
        uint32_t yes = result_of(rule->action, rule->errno_ret);
        uint32_t no = result_of(f->seccomp->default_action, f->seccomp->default_errno_ret);

        for (unsigned variant = 0; variant < 16; variant++) {
                uint64_t args[6] = {};
                uint32_t expected, got;

                for (size_t i = 0; i < rule->n_args; i++) {
                        const SpecSeccompArg *a = &rule->args[i];
                        const uint64_t values[] = {
                                a->value, a->value_two, a->value + 1, a->value - 1,
                                a->value ^ UINT64_C(1) << 32, 0, UINT64_MAX, a->value_two | ~a->value,
                        };

                        args[a->index] = values[(variant + (variant / 8) * i) % ELEMENTSOF(values)];
                }
                expected = applies(rule, args) ? yes : no;
                got = ask(f, name, args);
                if (got != expected)
                        FAIL_AT("%s(%#llx, %#llx, …) gives %#x, expected %#x", name,
                                (unsigned long long) args[0], (unsigned long long) args[1], got, expected);
        }
}

/* Does it say what happens anyway? */
static bool is_idle(const Filter *f, const SpecSyscall *rule) {
        return result_of(rule->action, rule->errno_ret) ==
               result_of(f->seccomp->default_action, f->seccomp->default_errno_ret);
}

/* How many rules are about that system call? */
static unsigned count_rules(const Filter *f, int number) {
        unsigned n = 0;

        for (size_t i = 0; i < f->seccomp->n_syscalls; i++) {
                const SpecSyscall *rule = &f->seccomp->syscalls[i];

                for (const char **name = rule->names; *name && !is_idle(f, rule); name++)
                        n += f->library->syscall_resolve_name(*name) == number;
        }
        return n;
}

static void check_answers(const Filter *f) {
        if (sizeof(long) < sizeof(uint64_t)) /* arguments are halves there */
                return;
        for (size_t i = 0; i < f->seccomp->n_syscalls; i++) {
                const SpecSyscall *rule = &f->seccomp->syscalls[i];

                for (const char **name = rule->names; *name && !is_idle(f, rule); name++) {
                        int number = f->library->syscall_resolve_name(*name);

                        if (number >= 0 && count_rules(f, number) == 1)
                                check_rule(f, rule, *name);
                }
        }
}

/* Another architecture than those of the profile gets nowhere. */
static void check_foreign(const Filter *f) {
        const struct seccomp_data data = { .arch = 12345 };

        ASSERT_EQ(seccomp_run(f->code, f->n * sizeof(struct sock_filter), &data, NULL), SECCOMP_RET_KILL_THREAD);
}

static uint64_t take_number(Text *key) {
        uint64_t v;

        ASSERT(key->n >= sizeof(v));
        memcpy(&v, key->s, sizeof(v));
        key->s += sizeof(v);
        key->n -= sizeof(v);
        return v;
}

static void take_string(Text *key, const char *expected) {
        size_t n = take_number(key);

        ASSERT(n == strlen(expected) && n <= key->n && memcmp(key->s, expected, n) == 0);
        key->s += n;
        key->n -= n;
}

static void take_list(Text *key, const char **expected) {
        for (size_t n = take_number(key); n > 0; n--) {
                ASSERT(*expected);
                take_string(key, *expected++);
        }
        ASSERT(!*expected);
}

static void take_optional(Text *key, OptU32 expected) {
        ASSERT_EQ(take_number(key), expected.set);
        ASSERT_EQ(take_number(key), expected.set ? expected.v : 0);
}

/* Two profiles have one key only if they are the same: the whole profile can be read from it, in one way. What it says
 * comes next does not depend on the profile that it is held against. */
static void check_key(const SpecSeccomp *s, Text key) {
        take_string(&key, "ocirt-sd seccomp 4");
        take_string(&key, s->default_action);
        take_optional(&key, s->default_errno_ret);
        take_list(&key, s->architectures);
        ASSERT_EQ(take_number(&key), s->n_syscalls);
        for (const SpecSyscall *rule = s->syscalls; rule < s->syscalls + s->n_syscalls; rule++) {
                take_list(&key, rule->names);
                take_string(&key, rule->action);
                take_optional(&key, rule->errno_ret);
                ASSERT_EQ(take_number(&key), rule->n_args);
                for (const SpecSeccompArg *a = rule->args; a < rule->args + rule->n_args; a++) {
                        ASSERT_EQ(take_number(&key), a->index);
                        take_string(&key, a->op);
                        ASSERT_EQ(take_number(&key), a->value);
                        ASSERT_EQ(take_number(&key), a->value_two);
                }
        }
        ASSERT_EQ(key.n, 0);
}

static void check_again(const Filter *f) {
        _cleanup_text_ Text key = {}, again = {}, unknown = {};
        _cleanup_free_ void *code = NULL;
        size_t size;

        ASSERT_EQ(seccomp_compile(f->seccomp, &code, &size, &unknown, NULL), 0);
        ASSERT_EQ(size, f->n * sizeof(*f->code));
        ASSERT(memcmp(code, f->code, size) == 0);
        seccomp_cache_key(f->seccomp, &key);
        seccomp_cache_key(f->seccomp, &again);
        ASSERT(key.n == again.n && memcmp(key.s, again.s, key.n) == 0);
        check_key(f->seccomp, key);
}

const JsonField *const grammar = spec_seccomp_fields;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_spec_ Spec *spec = parse(data, size);
        Filter f = { .seccomp = spec ? spec->linux_.seccomp : NULL };
        _cleanup_text_ Text unknown = {};
        _cleanup_error_ Error e = {};
        void *code = NULL;
        int r;

        if (!f.seccomp)
                return 0;
        r = seccomp_compile(f.seccomp, &code, &size, &unknown, &e);
        if (r < 0) {
                check_error(r, &e);
                return 0;
        }
        ASSERT_EQ(size % sizeof(*f.code), 0);
        ASSERT_EQ(seccomp_library(&f.library, NULL), 0);
        f.code = code;
        f.n = size / sizeof(*f.code);
        check_code(&f);
        check_foreign(&f);
        check_answers(&f);
        check_again(&f);
        free(code);
        return 0;
}
