/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>

#include "test.h"

/* What seccomp(2) runs: just enough of classic BPF. */
static inline uint32_t bpf_run(const struct sock_filter *filter, size_t n, const struct seccomp_data *data) {
        uint32_t a = 0;

        for (size_t pc = 0; pc < n; pc++) {
                const struct sock_filter *i = filter + pc;
                bool taken;

                switch (i->code) {
                case BPF_LD | BPF_W | BPF_ABS:
                        ASSERT(i->k % 4 == 0 && i->k < sizeof(*data));
                        memcpy(&a, (const char *) data + i->k, sizeof(a));
                        continue;
                case BPF_ALU | BPF_AND | BPF_K:
                        a &= i->k;
                        continue;
                case BPF_JMP | BPF_JA:
                        pc += i->k;
                        continue;
                case BPF_JMP | BPF_JEQ | BPF_K:
                        taken = a == i->k;
                        break;
                case BPF_JMP | BPF_JGT | BPF_K:
                        taken = a > i->k;
                        break;
                case BPF_JMP | BPF_JGE | BPF_K:
                        taken = a >= i->k;
                        break;
                case BPF_RET | BPF_K:
                        return i->k;
                default:
                        FAIL_AT("instruction %zu has the code %#x", pc, i->code);
                }
                pc += taken ? i->jt : i->jf;
        }
        FAIL_AT("the filter has no end");
}
