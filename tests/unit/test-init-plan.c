/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/resource.h>

#include "plan/init/operands.h"
#include "test.h"

static const char *args[] = { "sh", "-c", "echo a b,c\n", NULL };
static const char *empty[] = { NULL };
static const uint8_t filter[24] = { 6, 0, 0, 0, 0, 0, 0xff, 0x7f };

static void fill(InitStep *step, const InitOperand *row) {
        void *p = init_operand(step, row);

        switch (row->kind) {
        case OPERAND_STRING:
        case OPERAND_STRING_OR_NONE:
                *(const char **) p = "/a/b";
                break;
        case OPERAND_LIST:
        case OPERAND_LIST_OR_NONE:
                *(const char ***) p = row->kind == OPERAND_LIST ? args : empty;
                break;
        case OPERAND_BLOB:
        case OPERAND_BLOB_OR_NONE:
                *(InitBlob *) p = (InitBlob){ filter, sizeof(filter) };
                break;
        default:
                *(char *) p = 1;
        }
}

/* One step of each op, every operand of it given. */
static void fill_plan(InitPlan *plan) {
        for (unsigned op = 1; op < _INIT_OP_MAX; op++) {
                InitStep *step = init_plan_add(plan, op, op % 2 ? "a.b" : NULL);

                for (const InitOperand *row = init_operands(op); row->kind; row++)
                        fill(step, row);
        }
}

static void test_rows(void) {
        TEST("every op has a name of its own, and so has each of its operands, which do not overlap");
        for (unsigned op = 1; op < _INIT_OP_MAX; op++) {
                const InitOperand *rows = init_operands(op);
                size_t end = 0;
                unsigned n = 0;

                for (unsigned other = 1; other < op; other++)
                        ASSERT(!streq(init_op_name(op), init_op_name(other)));
                for (; rows[n].kind; n++) {
                        ASSERT(memchr(rows[n].name, '\0', sizeof(rows[n].name)) && rows[n].name[0]);
                        ASSERT(rows[n].offset >= end && rows[n].offset + rows[n].size <= sizeof(InitStep));
                        end = (size_t) rows[n].offset + rows[n].size;
                        for (unsigned k = 0; k < n; k++)
                                ASSERT(!streq(rows[n].name, rows[k].name));
                }
                ASSERT(n < 31); /* a bit each, and one for the origin */
        }
        ASSERT(!init_operands(0));
        ASSERT(!init_operands(_INIT_OP_MAX));
        ASSERT_STR(init_op_name(_INIT_OP_MAX), "?");
}

static void test_round_trip(void) {
        _cleanup_(init_plan_done) InitPlan plan = {}, back = {};
        _cleanup_text_ Text bytes = {}, again = {}, before = {}, after = {};

        TEST("a plan comes back as it was");
        fill_plan(&plan);
        init_plan_encode(&plan, &bytes);
        ASSERT_EQ(init_plan_decode(bytes.s, bytes.n, &back), 0);
        ASSERT_EQ(back.n_steps, plan.n_steps);
        init_plan_print(&plan, &before);
        init_plan_print(&back, &after);
        ASSERT_STR(after.s, before.s);
        for (size_t i = 0; i < plan.n_steps; i++) {
                const InitSeccomp *a = &plan.steps[i].seccomp, *b = &back.steps[i].seccomp;

                ASSERT(streq_null(plan.steps[i].origin, back.steps[i].origin));
                if (plan.steps[i].op != INIT_SECCOMP)
                        continue;
                ASSERT_EQ(a->filter.size, b->filter.size);
                ASSERT(memcmp(a->filter.bytes, b->filter.bytes, a->filter.size) == 0);
                ASSERT_EQ((uintptr_t) b->filter.bytes % 8, 0);
        }
        init_plan_encode(&back, &again);
        ASSERT_EQ(again.n, bytes.n);
        ASSERT(memcmp(again.s, bytes.s, bytes.n) == 0);
}

/* In memory of exactly that size, so that a read behind the end is seen. */
static int decode(const char *bytes, size_t size, InitPlan *ret) {
        char *copy = xmalloc0(size);
        int r;

        memcpy(copy, bytes, size);
        r = init_plan_decode(copy, size, ret);
        if (r == 0) {
                _cleanup_text_ Text text = {};

                init_plan_print(ret, &text);
                init_plan_done(ret);
        }
        free(copy);
        return r;
}

static void test_hostile(void) {
        static const unsigned char flips[] = { 0x01, 0x80, 0xff };
        _cleanup_(init_plan_done) InitPlan plan = {};
        _cleanup_text_ Text bytes = {};
        InitPlan back;

        TEST("truncated plans are refused");
        fill_plan(&plan);
        init_plan_encode(&plan, &bytes);
        for (size_t n = 0; n < bytes.n; n++)
                ASSERT_EQ(decode(bytes.s, n, &back), -EBADMSG);
        TEST("truncated plans whose size was made to fit are refused");
        for (uint64_t n = 16; n < bytes.n; n++) {
                memcpy(bytes.s + 8, &n, sizeof(n));
                ASSERT_EQ(decode(bytes.s, n, &back), -EBADMSG);
        }
        memcpy(bytes.s + 8, &(uint64_t){ bytes.n }, sizeof(uint64_t));
        TEST("garbled plans are refused, or are other plans");
        for (size_t i = 0; i < bytes.n; i++)
                for (size_t k = 0; k < sizeof(flips); k++) {
                        bytes.s[i] = (char) (bytes.s[i] ^ flips[k]);
                        ASSERT(decode(bytes.s, bytes.n, &back) <= 0);
                        bytes.s[i] = (char) (bytes.s[i] ^ flips[k]);
                }
        ASSERT_EQ(decode(bytes.s, bytes.n, &back), 0);
}

/* A plan of one step: its op, the mask, and what follows. */
static int decode_step(uint32_t op, uint32_t mask, const void *operands, size_t size) {
        const uint32_t header[] = { 0x32505349, 1, (uint32_t) (24 + size), 0, op, mask };
        _cleanup_text_ Text bytes = {};
        InitPlan back;

        text_addn(&bytes, (const char *) header, sizeof(header));
        text_addn(&bytes, operands, size);
        return decode(bytes.s, bytes.n, &back);
}
#define DECODE(op, mask, ...) decode_step(op, mask, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))
#define STRING_A 1, 0, 0, 0, 'a', 0
#define LIST_A 1, 0, 0, 0, STRING_A

static void test_strict(void) {
        const uint8_t slots[] = { INIT_SLOTS & 0xff, INIT_SLOTS >> 8 };

        TEST("steps that there are");
        ASSERT_EQ(decode_step(INIT_PIVOT, 0, "", 0), 0);
        ASSERT_EQ(decode_step(0, 0, "", 0), -EBADMSG);
        ASSERT_EQ(decode_step(_INIT_OP_MAX, 0, "", 0), -EBADMSG);
        TEST("operands that the step has, and needs");
        ASSERT_EQ(DECODE(INIT_PIVOT, 1, STRING_A), -EBADMSG);
        ASSERT_EQ(DECODE(INIT_PIVOT, 1U << 30, STRING_A), -EBADMSG);
        ASSERT_EQ(DECODE(INIT_PIVOT, 1U << 31, STRING_A), 0); /* its origin */
        ASSERT_EQ(DECODE(INIT_MKDIR, 1, STRING_A), 0);
        ASSERT_EQ(DECODE(INIT_MKDIR, 2, STRING_A), -EBADMSG);
        ASSERT_EQ(decode_step(INIT_MKDIR, 0, "", 0), -EBADMSG);
        ASSERT_EQ(DECODE(INIT_MKDIR, 1, STRING_A, 0), -EBADMSG);
        ASSERT_EQ(DECODE(INIT_MKDIR, 1, 1, 0, 0, 0, 'a', 'b'), -EBADMSG);
        ASSERT_EQ(DECODE(INIT_MKDIR, 1, 2, 0, 0, 0, 'a', 0, 0), -EBADMSG);
        ASSERT_EQ(DECODE(INIT_EXEC, 2, LIST_A), 0);
        ASSERT_EQ(DECODE(INIT_EXEC, 2, 0, 0, 0, 0), -EBADMSG);
        ASSERT_EQ(DECODE(INIT_EXEC, 4, LIST_A), -EBADMSG);
        ASSERT_EQ(DECODE(INIT_EXEC, 6, LIST_A, 0, 0, 0, 0), 0); /* an empty list */
        ASSERT_EQ(decode_step(INIT_SECCOMP, 0, "", 0), -EBADMSG);
        ASSERT_EQ(DECODE(INIT_SECCOMP, 32, 0, 0, 0, 0, 0, 0, 0, 0), -EBADMSG);
        ASSERT_EQ(DECODE(INIT_SECCOMP, 32, 1, 0, 0, 0, 0, 0, 0, 0, 6), 0);
        TEST("numbers that are not 0, of their size");
        ASSERT_EQ(DECODE(INIT_UNSHARE, 1, 0, 0, 2, 0), 0);
        ASSERT_EQ(DECODE(INIT_UNSHARE, 1, 0, 0, 0, 0), -EBADMSG);
        ASSERT_EQ(DECODE(INIT_UNSHARE, 1, 0, 0, 2), -EBADMSG);
        ASSERT_EQ(DECODE(INIT_DETACH, 1, 1), 0);
        ASSERT_EQ(DECODE(INIT_DETACH, 1, 0), -EBADMSG);
        ASSERT_EQ(DECODE(INIT_DETACH, 1, 2), -EBADMSG);
        TEST("slots");
        ASSERT_EQ(DECODE(INIT_HOST_NULL, 1, 1, 0, 0, 0), 0);
        ASSERT_EQ(DECODE(INIT_HOST_NULL, 1, slots[0], slots[1], 0, 0), 0);
        ASSERT_EQ(DECODE(INIT_HOST_NULL, 1, slots[0] + 1, slots[1], 0, 0), -EBADMSG);
        ASSERT_EQ(DECODE(INIT_HOST_NULL, 1, 1, 0, 0, 1), -EBADMSG);
        ASSERT_EQ(decode_step(INIT_HOST_NULL, 0, "", 0), -EBADMSG);
        ASSERT_EQ(DECODE(INIT_READONLY, 9, STRING_A, slots[0] + 1, slots[1], 0, 0), -EBADMSG);
        ASSERT_EQ(DECODE(INIT_READONLY, 1, STRING_A), 0);
}

static void test_print(void) {
        _cleanup_(init_plan_done) InitPlan plan = {};
        static const char *options[] = { "size=64k", "mode=755", NULL };
        _cleanup_text_ Text text = {};

        TEST("one line a step, numbers by their names");
        init_add_unshare(&plan, NULL)->flags = CLONE_NEWNS | CLONE_NEWIPC;
        *init_add_mount(&plan, NULL) = (InitMount){
                .type = "tmpfs",
                .source = "tmpfs",
                .target = "/a b",
                .attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOATIME,
                .super = MS_SYNCHRONOUS,
                .propagation = MS_SLAVE | MS_REC,
                .extra = 1U << 31,
                .options = options,
        };
        *init_add_bind(&plan, NULL) = (InitBind){
                .source = "/src",
                .target = "/dst",
                .attrs = MOUNT_ATTR_RDONLY,
                .clear = MOUNT_ATTR__ATIME,
                .keep = 5,
        };
        *init_add_rlimit(&plan, NULL) = (InitRlimit){ .resource = RLIMIT_NOFILE, .hard = UINT64_MAX };
        *init_add_stdio_owner(&plan, NULL) = (InitStdioOwner){ .uid = 1000, .gid = INIT_KEEP_ID };
        *init_add_device(&plan, NULL) = (InitDevice){
                .path = "/dev/null",
                .type = 'c',
                .major = 1,
                .minor = 3,
                .mode = 0666,
        };
        init_add_capabilities(&plan, NULL)->effective = 0x21;
        *init_add_exec(&plan, NULL) = (InitExec){ .args = args, .env = empty };
        init_plan_print(&plan, &text);
        ASSERT_STR(text.s,
                   "unshare flags=ipc,mount\n"
                   "mount type=tmpfs source=tmpfs target=/a\\x20b attrs=nosuid,noatime super=sync "
                   "propagation=slave,recursive extra=0x80000000 options=[size=64k,mode=755]\n"
                   "bind source=/src target=/dst attrs=ro clear=atime keep=4\n"
                   "rlimit resource=RLIMIT_NOFILE soft=0 hard=infinity\n"
                   "stdio-owner uid=1000 gid=-1\n"
                   "device path=/dev/null type=c major=1 minor=3 mode=0666 uid=0 gid=0\n"
                   "capabilities effective=chown,kill permitted=none inheritable=none ambient=none\n"
                   "exec args=[sh,-c,echo\\x20a\\x20b\\x2cc\\x0a] env=[]\n");
}

int main(void) {
        test_rows();
        test_round_trip();
        test_hostile();
        test_strict();
        test_print();
        return 0;
}
