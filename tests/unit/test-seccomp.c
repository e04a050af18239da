/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "basic/str.h"
#include "host/seccomp.h"
#include "plan/seccomp.h"
#include "test.h"

typedef struct Compiled {
        Spec *spec;
        void *filter;
        size_t n;
        Text unknown;
} Compiled;

static void compiled_done(Compiled *c) {
        free(c->filter);
        text_done(&c->unknown);
        c->spec = spec_free(c->spec);
}
#define _cleanup_compiled_ _cleanup_(compiled_done)

static Spec *parse(const char *seccomp) {
        _cleanup_text_ Text json = {};
        _cleanup_error_ Error e = {};
        Spec *spec = NULL;

        text_addf(&json, "{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"rootfs\"},\"linux\":{\"seccomp\":{%s}}}",
                  seccomp);
        if (spec_parse(json.s, json.n, &spec, &e) < 0)
                FAIL_AT("%s: %s", seccomp, e.message);
        return spec;
}

static Compiled compile(const char *seccomp) {
        _cleanup_error_ Error e = {};
        Compiled c = { .spec = parse(seccomp) };
        size_t size;

        if (seccomp_compile(c.spec->linux_.seccomp, &c.filter, &size, &c.unknown, &e) < 0)
                FAIL_AT("%s: %s", seccomp, e.message);
        ASSERT_EQ(size % sizeof(struct sock_filter), 0);
        c.n = size / sizeof(struct sock_filter);
        ASSERT(c.n <= BPF_MAXINSNS);
        return c;
}

static uint32_t ask(const Compiled *c, uint32_t arch, uint32_t nr, uint64_t arg0, uint64_t arg1) {
        const struct seccomp_data data = { .arch = arch, .nr = (int) nr, .args = { arg0, arg1 } };

        return seccomp_run(c->filter, c->n * sizeof(struct sock_filter), &data, NULL);
}

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#define NATIVE_NAME "SCMP_ARCH_X86_64"
#elif defined(__aarch64__)
#define NATIVE AUDIT_ARCH_AARCH64
#define NATIVE_NAME "SCMP_ARCH_AARCH64"
#else
#define NATIVE 0
#define NATIVE_NAME ""
#endif

#define ALLOW SECCOMP_RET_ALLOW
#define FAIL_WITH(e) (SECCOMP_RET_ERRNO | (e))
#define DENY "\"defaultAction\":\"SCMP_ACT_ERRNO\","
#define PASS "\"defaultAction\":\"SCMP_ACT_ALLOW\","
#define RULE(names, action, more) "\"syscalls\":[{\"names\":[" names "],\"action\":\"" action "\"" more "}]"
#define ARG(index, value, two, op) \
        "{\"index\":" #index ",\"value\":" #value ",\"valueTwo\":" #two ",\"op\":\"SCMP_CMP_" op "\"}"

static void test_actions(void) {
        static const struct { const char *action; uint32_t result; } table[] = {
                { "SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD },
                { "SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD },
                { "SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS },
                { "SCMP_ACT_TRAP", SECCOMP_RET_TRAP },
                { "SCMP_ACT_ERRNO", FAIL_WITH(EPERM) },
                { "SCMP_ACT_TRACE", SECCOMP_RET_TRACE | EPERM },
                { "SCMP_ACT_LOG", SECCOMP_RET_LOG },
                { "SCMP_ACT_NOTIFY", SECCOMP_RET_USER_NOTIF },
        };

        TEST("actions");
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_text_ Text t = {};
                _cleanup_compiled_ Compiled c = {};

                text_addf(&t, PASS "\"listenerPath\":\"/s\"," RULE("\"getcwd\"", "%s", ""), table[i].action);
                c = compile(t.s);
                ASSERT_EQ(ask(&c, NATIVE, SYS_getcwd, 0, 0), table[i].result);
                ASSERT_EQ(ask(&c, NATIVE, SYS_read, 0, 0), ALLOW);
                ASSERT_EQ(ask(&c, NATIVE, 100000, 0, 0), ALLOW);
                ASSERT_EQ(ask(&c, 12345, SYS_read, 0, 0), SECCOMP_RET_KILL_THREAD);
        }
        _cleanup_compiled_ Compiled number =
                compile(PASS RULE("\"getcwd\"", "SCMP_ACT_ERRNO", ",\"errnoRet\":38"));
        ASSERT_EQ(ask(&number, NATIVE, SYS_getcwd, 0, 0), FAIL_WITH(38));
        _cleanup_compiled_ Compiled same = compile(PASS RULE("\"getcwd\"", "SCMP_ACT_ALLOW", ""));
        ASSERT_EQ(ask(&same, NATIVE, SYS_getcwd, 0, 0), ALLOW);
        _cleanup_compiled_ Compiled none = compile("\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":13");
        ASSERT_EQ(ask(&none, NATIVE, SYS_getcwd, 0, 0), FAIL_WITH(13));
}

static void test_operators(void) {
        static const struct { const char *arg; uint64_t value; bool match; } table[] = {
                { ARG(0, 5, 0, "EQ"), 5, true },
                { ARG(0, 5, 0, "EQ"), 4, false },
                { ARG(0, 5, 0, "EQ"), 5 | (1ULL << 32), false },
                { ARG(0, 4294967301, 0, "EQ"), 5 | (1ULL << 32), true },
                { ARG(0, 5, 0, "NE"), 5, false },
                { ARG(0, 5, 0, "NE"), 5 | (1ULL << 32), true },
                { ARG(0, 5, 0, "LT"), 4, true },
                { ARG(0, 5, 0, "LT"), 5, false },
                { ARG(0, 4294967296, 0, "LT"), 0xffffffff, true },
                { ARG(0, 5, 0, "LE"), 5, true },
                { ARG(0, 5, 0, "LE"), 1ULL << 32, false },
                { ARG(0, 5, 0, "GE"), 5, true },
                { ARG(0, 5, 0, "GE"), 4, false },
                { ARG(0, 5, 0, "GT"), 1ULL << 32, true },
                { ARG(0, 5, 0, "GT"), 5, false },
                { ARG(0, 18446744073709551615, 0, "EQ"), UINT64_MAX, true },
                { ARG(0, 4294967295, 21522, "MASKED_EQ"), 21522, true },
                { ARG(0, 4294967295, 21522, "MASKED_EQ"), 21522 | (1ULL << 32), true },
                { ARG(0, 4294967295, 21522, "MASKED_EQ"), 21523, false },
                { ARG(0, 2114060288, 0, "MASKED_EQ"), 17, true },
                { ARG(0, 2114060288, 0, "MASKED_EQ"), 0x10000000, false },
        };

        TEST("comparisons have 64 bits");
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_text_ Text t = {};
                _cleanup_compiled_ Compiled c = {};
                uint32_t result;

                text_addf(&t, PASS RULE("\"getcwd\"", "SCMP_ACT_ERRNO", ",\"args\":[%s]"), table[i].arg);
                c = compile(t.s);
                result = ask(&c, NATIVE, SYS_getcwd, table[i].value, 0);
                if (result != (table[i].match ? FAIL_WITH(EPERM) : ALLOW))
                        FAIL_AT("%s with %#llx: %#x", table[i].arg, (unsigned long long) table[i].value, result);
        }
}

static void test_args(void) {
        _cleanup_compiled_ Compiled both = compile(
                DENY RULE("\"getcwd\"", "SCMP_ACT_ALLOW", ",\"args\":[" ARG(0, 1, 0, "EQ") "," ARG(1, 2, 0, "EQ") "]"));
        _cleanup_compiled_ Compiled any = compile(
                DENY RULE("\"getcwd\"", "SCMP_ACT_ALLOW", ",\"args\":[" ARG(0, 1, 0, "EQ") "," ARG(0, 8, 0, "EQ") ","
                          ARG(1, 2, 0, "EQ") "]"));

        TEST("conditions on several arguments, and several on one");
        ASSERT_EQ(ask(&both, NATIVE, SYS_getcwd, 1, 2), ALLOW);
        ASSERT_EQ(ask(&both, NATIVE, SYS_getcwd, 1, 3), FAIL_WITH(EPERM));
        ASSERT_EQ(ask(&both, NATIVE, SYS_getcwd, 0, 2), FAIL_WITH(EPERM));
        ASSERT_EQ(ask(&any, NATIVE, SYS_getcwd, 1, 0), ALLOW);
        ASSERT_EQ(ask(&any, NATIVE, SYS_getcwd, 8, 0), ALLOW);
        ASSERT_EQ(ask(&any, NATIVE, SYS_getcwd, 0, 2), ALLOW);
        ASSERT_EQ(ask(&any, NATIVE, SYS_getcwd, 0, 0), FAIL_WITH(EPERM));
}

static void test_unknown(void) {
        _cleanup_compiled_ Compiled c = compile(
                DENY "\"architectures\":[\"SCMP_ARCH_X86\",\"" NATIVE_NAME "\",\"SCMP_ARCH_LOONGARCH64\"]," RULE("\"getcwd\",\"no_such_call\",\"Mkdir\",\"mmap2\",\"socketcall\"", "SCMP_ACT_ALLOW", ""));

        TEST("unknown syscalls and architectures are skipped, the former not in silence");
        ASSERT_STR(c.unknown.s, "no_such_call, Mkdir");
        ASSERT_EQ(ask(&c, NATIVE, SYS_getcwd, 0, 0), ALLOW);
        ASSERT_EQ(ask(&c, AUDIT_ARCH_I386, 183, 0, 0), ALLOW); /* getcwd */
        ASSERT_EQ(ask(&c, AUDIT_ARCH_I386, 192, 0, 0), ALLOW); /* mmap2 */
        ASSERT_EQ(ask(&c, AUDIT_ARCH_I386, 3, 0, 0), FAIL_WITH(EPERM));
}

static void test_enosys(void) {
        static const char newest[] = RULE("\"read\",\"openat2\"", "SCMP_ACT_ALLOW", "");
        _cleanup_text_ Text archs = {}, kill = {}, allow = {};

        TEST("syscalls younger than the profile are not there");
        text_addf(&archs, DENY "\"architectures\":[\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_X86\",\"SCMP_ARCH_X32\"],%s", newest);
        _cleanup_compiled_ Compiled c = compile(archs.s);
        ASSERT_EQ(ask(&c, NATIVE, SYS_openat2, 0, 0), ALLOW);
        ASSERT_EQ(ask(&c, NATIVE, SYS_openat2 - 1, 0, 0), FAIL_WITH(EPERM));
        ASSERT_EQ(ask(&c, NATIVE, SYS_openat2 + 1, 0, 0), FAIL_WITH(ENOSYS));
        ASSERT_EQ(ask(&c, NATIVE, 100000, 0, 0), FAIL_WITH(ENOSYS));
        ASSERT_EQ(ask(&c, AUDIT_ARCH_I386, 437, 0, 0), ALLOW);
        ASSERT_EQ(ask(&c, AUDIT_ARCH_I386, 438, 0, 0), FAIL_WITH(ENOSYS));
#if defined(__x86_64__)
        ASSERT_EQ(ask(&c, NATIVE, 0x40000000 + 437, 0, 0), ALLOW);
        ASSERT_EQ(ask(&c, NATIVE, 0x40000000 + 1, 0, 0), FAIL_WITH(EPERM));
        ASSERT_EQ(ask(&c, NATIVE, 0x40000000 + 1000, 0, 0), FAIL_WITH(ENOSYS));
#endif
        ASSERT_EQ(ask(&c, AUDIT_ARCH_S390X, 1000, 0, 0), SECCOMP_RET_KILL_THREAD);
        text_addf(&kill, "\"defaultAction\":\"SCMP_ACT_KILL_PROCESS\",%s", newest);
        _cleanup_compiled_ Compiled k = compile(kill.s);
        ASSERT_EQ(ask(&k, NATIVE, 100000, 0, 0), FAIL_WITH(ENOSYS));
        ASSERT_EQ(ask(&k, NATIVE, SYS_openat2 - 1, 0, 0), SECCOMP_RET_KILL_PROCESS);
#if defined(__x86_64__)
        ASSERT_EQ(ask(&k, NATIVE, 0x40000000 + 437, 0, 0), SECCOMP_RET_KILL_THREAD);
#endif
        text_addf(&allow, "\"defaultAction\":\"SCMP_ACT_LOG\",%s", newest);
        _cleanup_compiled_ Compiled l = compile(allow.s);
        ASSERT_EQ(ask(&l, NATIVE, 100000, 0, 0), SECCOMP_RET_LOG);
}

/* Numbers up to 250 with and without rules: the binary tree gives the same answers. */
static void test_tree(void) {
        static const char *const names[] = {
                "read", "close", "fstat", "lseek", "mmap", "mprotect", "munmap", "brk", "ioctl", "pread64", "pwrite64",
                "readv", "writev", "sched_yield", "mremap", "msync", "mincore", "madvise", "dup", "nanosleep", "getitimer",
                "setitimer", "getpid", "sendfile", "socket", "connect", "accept", "sendto", "recvfrom", "sendmsg",
                "recvmsg", "shutdown", "bind", "listen", "getsockname", "getpeername", "socketpair", "setsockopt",
                "getsockopt", "clone", "execve", "exit", "wait4", "kill", "uname", "semget", "semop", "semctl",
        };
        _cleanup_text_ Text t = {};

        TEST("many syscalls");
        text_add(&t, DENY "\"syscalls\":[{\"names\":[\"write\"");
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                text_addf(&t, ",\"%s\"", names[i]);
        text_add(&t, "],\"action\":\"SCMP_ACT_ALLOW\"}]");
        _cleanup_compiled_ Compiled c = compile(t.s);
        ASSERT_EQ(ask(&c, NATIVE, SYS_read, 0, 0), ALLOW);
        ASSERT_EQ(ask(&c, NATIVE, SYS_semctl, 0, 0), ALLOW);
        ASSERT_EQ(ask(&c, NATIVE, SYS_getcwd, 0, 0), SYS_getcwd > SYS_wait4 && SYS_getcwd > SYS_semctl
                                                             ? FAIL_WITH(ENOSYS) : FAIL_WITH(EPERM));
        ASSERT_EQ(ask(&c, NATIVE, SYS_getuid, 0, 0), SYS_getuid > SYS_semctl ? FAIL_WITH(ENOSYS) : FAIL_WITH(EPERM));
        ASSERT_EQ(ask(&c, NATIVE, SYS_rt_sigreturn, 0, 0), FAIL_WITH(EPERM));
}

static void test_errors(void) {
        Spec *spec = parse(DENY "\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
                           ARG(0, 1, 0, "EQ") "]},{\"names\":[\"read\"],\"action\":\"SCMP_ACT_KILL\",\"args\":["
                           ARG(0, 1, 0, "EQ") "]}]");
        _cleanup_error_ Error e = {};
        _cleanup_text_ Text unknown = {};
        void *filter = NULL;
        size_t size;

        TEST("rules that contradict each other");
        ASSERT(seccomp_compile(spec->linux_.seccomp, &filter, &size, &unknown, &e) < 0);
        ASSERT(strstr(e.message, "linux.seccomp.syscalls[1]: no rule for \"read\""));
        spec_free(spec);
}

static void expect_flags(const char *list, unsigned flags) {
        _cleanup_text_ Text t = {};
        Spec *spec;

        text_addf(&t, PASS "\"listenerPath\":\"/s\",\"flags\":[%s]," RULE("\"getcwd\"", "SCMP_ACT_NOTIFY", ""), list);
        spec = parse(t.s);
        ASSERT_EQ(seccomp_flags(spec->linux_.seccomp), flags);
        ASSERT(seccomp_notifies(spec->linux_.seccomp));
        spec_free(spec);
}

static void test_flags(void) {
        Spec *spec = parse(PASS "\"flags\":[\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\"]");

        TEST("flags");
        expect_flags("", SECCOMP_FILTER_FLAG_SPEC_ALLOW);
        expect_flags("\"SECCOMP_FILTER_FLAG_TSYNC\"", 0);
        expect_flags("\"SECCOMP_FILTER_FLAG_LOG\",\"SECCOMP_FILTER_FLAG_SPEC_ALLOW\"",
                     SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW);
        expect_flags("\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\"", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
        ASSERT_EQ(seccomp_flags(spec->linux_.seccomp), 0);
        ASSERT(!seccomp_notifies(spec->linux_.seccomp));
        spec_free(spec);
}

static void test_key(void) {
        static const char *const profiles[] = {
                DENY RULE("\"read\"", "SCMP_ACT_ALLOW", ""),
                PASS RULE("\"read\"", "SCMP_ACT_LOG", ""),
                DENY RULE("\"read\",\"write\"", "SCMP_ACT_ALLOW", ""),
                DENY RULE("\"read\",\"SCMP_ACT_ALLOW\"", "SCMP_ACT_ALLOW", ""),
                DENY "\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"},"
                     "{\"names\":[\"write\"],\"action\":\"SCMP_ACT_ALLOW\"}]",
                DENY RULE("\"readwrite\"", "SCMP_ACT_ALLOW", ""),
                DENY RULE("\"read\"", "SCMP_ACT_ERRNO", ""),
                DENY RULE("\"read\"", "SCMP_ACT_ERRNO", ",\"errnoRet\":1"),
                DENY RULE("\"read\"", "SCMP_ACT_ALLOW", ",\"args\":[" ARG(0, 1, 0, "EQ") "]"),
                DENY RULE("\"read\"", "SCMP_ACT_ALLOW", ",\"args\":[" ARG(0, 1, 0, "NE") "]"),
                DENY RULE("\"read\"", "SCMP_ACT_ALLOW", ",\"args\":[" ARG(0, 1, 1, "EQ") "]"),
                DENY RULE("\"read\"", "SCMP_ACT_ALLOW", ",\"args\":[" ARG(1, 1, 0, "EQ") "]"),
                DENY "\"defaultErrnoRet\":1," RULE("\"read\"", "SCMP_ACT_ALLOW", ""),
                DENY "\"architectures\":[\"SCMP_ARCH_X86\"]," RULE("\"read\"", "SCMP_ACT_ALLOW", ""),
        };
        Text keys[ELEMENTSOF(profiles)] = {};

        TEST("no two profiles have the same key");
        for (size_t i = 0; i < ELEMENTSOF(profiles); i++) {
                Spec *spec = parse(profiles[i]);

                seccomp_cache_key(spec->linux_.seccomp, &keys[i]);
                for (size_t k = 0; k < i; k++)
                        if (keys[i].n == keys[k].n && memcmp(keys[i].s, keys[k].s, keys[i].n) == 0)
                                FAIL_AT("the same key: %s, %s", profiles[i], profiles[k]);
                spec_free(spec);
        }
        for (size_t i = 0; i < ELEMENTSOF(profiles); i++)
                text_done(&keys[i]);
}

/* What is in a string does not end it: the second rule of one profile is not a name of the other's. */
static void test_key_of_strings(void) {
        const char *one[] = { "getpid", "", "SCMP_ACT_ERRNO", "-", "0", "mkdir", NULL };
        const char *two[] = { "getpid", NULL }, *three[] = { "mkdir", NULL }, *none[] = { NULL };
        SpecSyscall joined[] = { { .names = one, .action = "SCMP_ACT_ALLOW" } };
        SpecSyscall apart[] = { { .names = two, .action = "SCMP_ACT_ALLOW" },
                                { .names = three, .action = "SCMP_ACT_ERRNO" } };
        const SpecSeccomp a = { .default_action = "SCMP_ACT_LOG", .architectures = none, .syscalls = joined,
                                .n_syscalls = 1 };
        const SpecSeccomp b = { .default_action = "SCMP_ACT_LOG", .architectures = none, .syscalls = apart,
                                .n_syscalls = 2 };
        _cleanup_text_ Text key = {}, other = {};

        TEST("nor have profiles whose strings are odd");
        seccomp_cache_key(&a, &key);
        seccomp_cache_key(&b, &other);
        ASSERT(key.n != other.n || memcmp(key.s, other.s, key.n) != 0);
}

int main(void) {
        if (NATIVE == 0) {
                fprintf(stderr, "no numbers for this architecture\n");
                return 77;
        }
        test_actions();
        test_operators();
        test_args();
        test_unknown();
        test_enosys();
        test_tree();
        test_errors();
        test_flags();
        test_key();
        test_key_of_strings();
        return 0;
}
