/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/seccomp-enosys.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>

#define X32_BIT UINT32_C(0x40000000)
#define BODY_MAX 16

/* The newest syscall of the profile on an architecture as the kernel names it; 0: it mentions none. */
typedef struct Newest {
        uint32_t audit_arch;
        uint32_t number;
        uint32_t x32_number;    /* for the kernel x32 is a bit in the numbers of x86-64 */
} Newest;

static uint32_t newest_number(const SeccompLibrary *library, const SpecSeccomp *seccomp, uint32_t arch) {
        int newest = 0;

        for (size_t i = 0; i < seccomp->n_syscalls; i++)
                for (const char **name = seccomp->syscalls[i].names; *name; name++) {
                        /* Negative: unknown, or known on other architectures only. */
                        int number = library->syscall_resolve_name_arch(arch, *name);

                        newest = MAX(newest, number);
                }
        return (uint32_t) newest;
}

static bool lets_pass(const char *action) {
        /* A tracer emulates, and decides for itself what is not there. */
        return streq(action, "SCMP_ACT_ALLOW") || streq(action, "SCMP_ACT_LOG") ||
               streq(action, "SCMP_ACT_TRACE");
}

static void add(struct sock_filter *body, size_t *n, struct sock_filter instruction) {
        body[(*n)++] = instruction;
}

/* "if the accumulator is greater than number, ENOSYS". */
static void add_limit(struct sock_filter *body, size_t *n, uint32_t number) {
        add(body, n, (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, number, 0, 1));
        add(body, n, (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS));
}

/* What is done on one architecture; falls through at its end. */
static size_t make_body(const Newest *newest, struct sock_filter *body) {
        size_t n = 0;

        add(body, &n,
            (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
        if (newest->audit_arch == AUDIT_ARCH_S390 || newest->audit_arch == AUDIT_ARCH_S390X) {
                /* Numbers that this kernel does not know come as 0 there. */
                add(body, &n, (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1));
                add(body, &n, (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS));
        }
        if (newest->audit_arch == AUDIT_ARCH_X86_64) {
                unsigned char skip = newest->number > 0 ? 2 : 0;

                if (newest->x32_number > 0)
                        add_limit(body, &n, newest->x32_number);
                /* Other x32 numbers are libseccomp's business: allowed or not with their architecture. */
                add(body, &n, (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, skip, 0));
        }
        if (newest->number > 0)
                add_limit(body, &n, newest->number);
        return n;
}

void seccomp_enosys_stub(const SeccompLibrary *library, const SpecSeccomp *seccomp, const uint32_t *archs,
                         size_t n_archs, Text *ret) {
        _cleanup_free_ Newest *newest = xmalloc0((n_archs + 1) * sizeof(*newest));
        struct sock_filter load_arch =
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
        size_t n_newest = 0;

        if (lets_pass(seccomp->default_action))
                return;
        for (size_t i = 0; i < n_archs; i++) {
                bool x32 = archs[i] == SCMP_ARCH_X32;
                uint32_t audit_arch = x32 ? AUDIT_ARCH_X86_64 : archs[i];
                uint32_t number = newest_number(library, seccomp, archs[i]);
                size_t k = 0;

                if (number == 0)
                        continue;
                while (k < n_newest && newest[k].audit_arch != audit_arch)
                        k++;
                n_newest = MAX(n_newest, k + 1);
                newest[k].audit_arch = audit_arch;
                *(x32 ? &newest[k].x32_number : &newest[k].number) = number;
        }
        for (size_t i = 0; i < n_newest; i++) {
                struct sock_filter body[BODY_MAX], match;
                size_t n = make_body(newest + i, body);

                /* The accumulator is another one after a body, so each starts with the architecture. */
                match = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, newest[i].audit_arch, 0,
                                                      (unsigned char) n);
                text_addn(ret, (const char *) &load_arch, sizeof(load_arch));
                text_addn(ret, (const char *) &match, sizeof(match));
                text_addn(ret, (const char *) body, n * sizeof(*body));
        }
}
