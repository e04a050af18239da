/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/macro.h"
#include "plan/unit/device-program.h"
#include "test.h"

/* What the kernel does with such a program, for those instructions that it has; -1: it does not end properly. */
static int run(const struct bpf_insn *code, size_t n, const uint32_t *context) {
        uint64_t r[6] = {};

        for (size_t i = 0; i < n; i++) {
                const struct bpf_insn *c = code + i;
                uint64_t *to = r + c->dst_reg;

                switch (c->code) {
                case BPF_LDX | BPF_MEM | BPF_W:
                        *to = context[c->off / (int) sizeof(uint32_t)];
                        break;
                case BPF_ALU | BPF_K | BPF_AND:
                        *to = (uint32_t) *to & (uint32_t) c->imm;
                        break;
                case BPF_ALU | BPF_K | BPF_RSH:
                        *to = (uint32_t) *to >> c->imm;
                        break;
                case BPF_ALU | BPF_K | BPF_MOV:
                        *to = (uint32_t) c->imm;
                        break;
                case BPF_ALU | BPF_X | BPF_MOV:
                        *to = (uint32_t) r[c->src_reg];
                        break;
                case BPF_JMP | BPF_JA:
                        i += (size_t) c->off;
                        break;
                case BPF_JMP | BPF_K | BPF_JEQ:
                        i += *to == (uint64_t) c->imm ? (size_t) c->off : 0;
                        break;
                case BPF_JMP | BPF_K | BPF_JNE:
                        i += *to != (uint64_t) c->imm ? (size_t) c->off : 0;
                        break;
                case BPF_JMP | BPF_EXIT:
                        return (int) r[0];
                default:
                        return -1;
                }
        }
        return -1;
}

/* The specification's words: the last rule that covers a device decides, for each kind of access. */
static bool is_allowed(const DeviceRule *rules, size_t n, char type, int64_t major, int64_t minor, unsigned access) {
        for (unsigned bit = 1; bit <= DEVICE_MKNOD; bit <<= 1) {
                bool allowed = false;

                if (!(access & bit))
                        continue;
                for (size_t i = 0; i < n; i++)
                        if (rules[i].type == type && (rules[i].major < 0 || rules[i].major == major) &&
                            (rules[i].minor < 0 || rules[i].minor == minor) && (rules[i].access & bit))
                                allowed = rules[i].allow;
                if (!allowed)
                        return false;
        }
        return true;
}

static bool asks(const DeviceRule *rules, size_t n, char type, int64_t major, int64_t minor, unsigned access) {
        const uint32_t context[] = { /* struct bpf_cgroup_dev_ctx: access_type, major, minor */
                (access & DEVICE_READ ? BPF_DEVCG_ACC_READ << 16 : 0U) |
                        (access & DEVICE_WRITE ? BPF_DEVCG_ACC_WRITE << 16 : 0U) |
                        (access & DEVICE_MKNOD ? BPF_DEVCG_ACC_MKNOD << 16 : 0U) |
                        (type == 'c' ? BPF_DEVCG_DEV_CHAR : BPF_DEVCG_DEV_BLOCK),
                (uint32_t) major,
                (uint32_t) minor,
        };
        size_t length;
        struct bpf_insn *code = device_program(rules, n, &length);
        int r = run(code, length, context);

        free(code);
        ASSERT(r == 0 || r == 1);
        return r == 1;
}

static void test_some(void) {
        static const DeviceRule rules[] = {
                { true, 'c', -1, -1, DEVICE_ALL }, { false, 'c', 10, -1, DEVICE_READ | DEVICE_WRITE },
                { true, 'c', 10, 229, DEVICE_READ }, { true, 'b', -1, 5, DEVICE_READ },
        };

        TEST("rules by hand");
        ASSERT(asks(rules, 4, 'c', 1, 3, DEVICE_ALL));
        ASSERT(asks(rules, 4, 'c', 10, 1, DEVICE_MKNOD));
        ASSERT(!asks(rules, 4, 'c', 10, 1, DEVICE_READ));
        ASSERT(!asks(rules, 4, 'c', 10, 1, DEVICE_MKNOD | DEVICE_WRITE));
        ASSERT(asks(rules, 4, 'c', 10, 229, DEVICE_READ | DEVICE_MKNOD));
        ASSERT(!asks(rules, 4, 'c', 10, 229, DEVICE_READ | DEVICE_WRITE));
        ASSERT(asks(rules, 4, 'b', 7, 5, DEVICE_READ));
        ASSERT(!asks(rules, 4, 'b', 7, 6, DEVICE_READ));
        ASSERT(!asks(NULL, 0, 'c', 1, 3, DEVICE_READ));
}

static void test_many(void) {
        unsigned seed = 1;

        TEST("every request, for lists made by chance");
        for (unsigned round = 0; round < 300; round++) {
                DeviceRule rules[6];
                size_t n = round % 7;

                for (size_t i = 0; i < n; i++) {
                        unsigned x = (seed = seed * 1103515245 + 12345) >> 8;

                        rules[i] = (DeviceRule){ x & 1, x & 2 ? 'c' : 'b', (int64_t) (x >> 2 & 3) - 1,
                                                 (int64_t) (x >> 4 & 3) - 1, (x >> 6) % 7 + 1 };
                }
                for (unsigned request = 0; request < 2 * 3 * 3 * 7; request++) {
                        char type = request % 2 ? 'c' : 'b';
                        unsigned access = request / 18 + 1;

                        ASSERT_EQ(asks(rules, n, type, request / 2 % 3, request / 6 % 3, access),
                                  is_allowed(rules, n, type, request / 2 % 3, request / 6 % 3, access));
                }
        }
}

int main(void) {
        test_some();
        test_many();
        return 0;
}
