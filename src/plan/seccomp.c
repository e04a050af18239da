/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/seccomp.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>

#include "basic/str.h"

bool seccomp_notifies(const SpecSeccomp *seccomp) {
        for (size_t i = 0; i < seccomp->n_syscalls; i++)
                if (streq(seccomp->syscalls[i].action, "SCMP_ACT_NOTIFY"))
                        return true;
        return streq(seccomp->default_action, "SCMP_ACT_NOTIFY");
}

unsigned seccomp_flags(const SpecSeccomp *seccomp) {
        unsigned flags = 0;

        /* Other runtimes' default: a filter is no reason to make every branch of the container slower. */
        if (!seccomp->flags[0])
                return SECCOMP_FILTER_FLAG_SPEC_ALLOW;
        for (const char **flag = seccomp->flags; *flag; flag++)
                if (streq(*flag, "SECCOMP_FILTER_FLAG_LOG"))
                        flags |= SECCOMP_FILTER_FLAG_LOG;
                else if (streq(*flag, "SECCOMP_FILTER_FLAG_SPEC_ALLOW"))
                        flags |= SECCOMP_FILTER_FLAG_SPEC_ALLOW;
                else if (streq(*flag, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV") && seccomp_notifies(seccomp))
                        /* The kernel takes it together with a listener only. */
                        flags |= SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
        /* TSYNC has nothing to do: the process that loads the filter has one thread. */
        return flags;
}

/* Takes the jumps of a comparison; false when it is none. */
static bool compare(const struct sock_filter *i, uint32_t a, size_t *pc) {
        bool taken;

        switch (i->code) {
        case BPF_JMP | BPF_JEQ | BPF_K:
                taken = a == i->k;
                break;
        case BPF_JMP | BPF_JGT | BPF_K:
                taken = a > i->k;
                break;
        case BPF_JMP | BPF_JGE | BPF_K:
                taken = a >= i->k;
                break;
        default:
                return false;
        }
        *pc += taken ? i->jt : i->jf;
        return true;
}

uint32_t seccomp_run(const void *filter, size_t size, const struct seccomp_data *data, bool *ret_sure) {
        const struct sock_filter *code = filter;
        const size_t n = size / sizeof(*code);
        uint32_t a = 0, answer = SECCOMP_RET_KILL_PROCESS;
        bool sure = true, answered = false;

        for (size_t pc = 0; pc < n && !answered; pc++) {
                const struct sock_filter *i = code + pc;

                if (i->code == (BPF_RET | BPF_K)) {
                        answer = i->k;
                        answered = true;
                } else if (i->code == (BPF_LD | BPF_W | BPF_ABS) && i->k % sizeof(a) == 0 && i->k < sizeof(*data)) {
                        memcpy(&a, (const char *) data + i->k, sizeof(a));
                        sure = sure && i->k < offsetof(struct seccomp_data, args);
                } else if (i->code == (BPF_ALU | BPF_AND | BPF_K))
                        a &= i->k;
                else if (i->code == (BPF_JMP | BPF_JA))
                        pc += i->k;
                else if (!compare(i, a, &pc))
                        break;
        }
        if (ret_sure)
                *ret_sure = sure && answered;
        return answer;
}
