/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/unit/device-program.h"

/* The longest that one rule becomes, and what is around them. */
#define RULE_LENGTH 12
#define FRAME_LENGTH 8

enum {
        VERDICT = BPF_REG_0,
        CONTEXT = BPF_REG_1,
        TYPE = BPF_REG_2,
        ACCESS = BPF_REG_3,
        MAJOR = BPF_REG_4,
        MINOR = BPF_REG_5,
};

typedef struct Program {
        struct bpf_insn *code;
        size_t n;
} Program;

static void emit(Program *p, int code, unsigned to, unsigned from, int off, int value) {
        p->code[p->n++] = (struct bpf_insn){ .code = (__u8) code, .dst_reg = to & 0xfU, .src_reg = from & 0xfU,
                                             .off = (__s16) off, .imm = value };
}

static void load(Program *p, unsigned to, size_t offset) {
        emit(p, BPF_LDX | BPF_MEM | BPF_W, to, CONTEXT, (int) offset, 0);
}

static void operate(Program *p, int operation, unsigned to, int value) {
        emit(p, BPF_ALU | BPF_K | operation, to, 0, 0, value);
}

static void finish(Program *p, int verdict) {
        operate(p, BPF_MOV, VERDICT, verdict);
        emit(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* Goes on if the comparison holds, else to the rule after this one: add_rule() sets the distance. The other jump would do
 * with one instruction; but the verifier goes straight on first, meets the most general state first this way, and need
 * not look at what follows again for each rule that matches. */
static void only_if(Program *p, unsigned what, int comparison, int64_t value) {
        emit(p, BPF_JMP | BPF_K | comparison, what, 0, 1, (int) value);
        emit(p, BPF_JMP | BPF_JA, 0, 0, 0, 0);
}

static unsigned kernel_access(unsigned access) {
        return (access & DEVICE_READ ? BPF_DEVCG_ACC_READ : 0U) | (access & DEVICE_WRITE ? BPF_DEVCG_ACC_WRITE : 0U) |
               (access & DEVICE_MKNOD ? BPF_DEVCG_ACC_MKNOD : 0U);
}

/* ACCESS is what was asked for and no rule has decided yet. */
static void add_rule(Program *p, const DeviceRule *r) {
        unsigned access = kernel_access(r->access);
        size_t first = p->n;

        only_if(p, TYPE, BPF_JEQ, r->type == 'c' ? BPF_DEVCG_DEV_CHAR : BPF_DEVCG_DEV_BLOCK);
        if (r->major >= 0)
                only_if(p, MAJOR, BPF_JEQ, r->major);
        if (r->minor >= 0)
                only_if(p, MINOR, BPF_JEQ, r->minor);
        if (r->allow) {
                operate(p, BPF_AND, ACCESS, (int) ~access);
                only_if(p, ACCESS, BPF_JEQ, 0);
        } else {
                emit(p, BPF_ALU | BPF_MOV | BPF_X, VERDICT, ACCESS, 0, 0);
                operate(p, BPF_AND, VERDICT, (int) access);
                only_if(p, VERDICT, BPF_JNE, 0);
        }
        finish(p, r->allow);
        for (size_t i = first; i < p->n; i++)
                if (p->code[i].code == (BPF_JMP | BPF_JA))
                        p->code[i].off = (__s16) (p->n - i - 1);
}

struct bpf_insn *device_program(const DeviceRule *rules, size_t n_rules, size_t *ret_n) {
        Program p = { .code = xreallocarray(NULL, n_rules * RULE_LENGTH + FRAME_LENGTH, sizeof(struct bpf_insn)) };

        load(&p, TYPE, offsetof(struct bpf_cgroup_dev_ctx, access_type));
        operate(&p, BPF_AND, TYPE, 0xffff);
        load(&p, ACCESS, offsetof(struct bpf_cgroup_dev_ctx, access_type));
        operate(&p, BPF_RSH, ACCESS, 16);
        load(&p, MAJOR, offsetof(struct bpf_cgroup_dev_ctx, major));
        load(&p, MINOR, offsetof(struct bpf_cgroup_dev_ctx, minor));
        /* The last rule decides, so it is asked first. */
        for (size_t i = n_rules; i > 0; i--)
                add_rule(&p, rules + i - 1);
        finish(&p, 0);
        *ret_n = p.n;
        return p.code;
}
