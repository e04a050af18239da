/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/resource.h>

#include "plan/init/ops.h"
#include "plan/init/plan.h"
#include "test.h"

static const char *args[] = { "sh", "-c", "echo a b,c\n", NULL };
static const char *empty[] = { NULL };
static const uint8_t filter[24] = { 6, 0, 0, 0, 0, 0, 0xff, 0x7f };

/* One step of each op, every number, string and list of it given. */
static void fill_plan(InitPlan *plan) {
        for (unsigned op = 1; op < _INIT_OP_MAX; op++) {
                const InitOpRow *row = init_op_row(op);
                InitStep *step = init_plan_add(plan, op);

                ASSERT(row);
                for (unsigned i = 0; i < INIT_NUMS; i++)
                        if (row->num[i].kind != NUM_NONE)
                                step->num[i] = row->num[i].kind == NUM_SLOT_OR_NONE ? INIT_NO_SLOT : 1;
                for (unsigned i = 0; i < INIT_STRS; i++)
                        step->str[i] = row->str[i].name ? "/a/b" : NULL;
                for (unsigned i = 0; i < INIT_LISTS; i++)
                        if (row->list[i].kind != LIST_NONE)
                                step->list[i] = row->list[i].kind == LIST_ANY ? empty : args;
                if (row->blob) {
                        step->blob = filter;
                        step->blob_size = sizeof(filter);
                }
        }
}

static void test_rows(void) {
        TEST("every op has a row with a name of its own, and each thing of it one too");
        for (unsigned op = 1; op < _INIT_OP_MAX; op++) {
                const InitOpRow *row = init_op_row(op);

                ASSERT(row);
                for (unsigned other = 1; other < op; other++)
                        ASSERT(!streq(init_op_name(op), init_op_name(other)));
                for (unsigned i = 0; i < INIT_NUMS; i++)
                        ASSERT_EQ(row->num[i].kind != NUM_NONE, row->num[i].name != NULL);
                for (unsigned i = 0; i < INIT_LISTS; i++)
                        ASSERT_EQ(row->list[i].kind != LIST_NONE, row->list[i].name != NULL);
        }
        ASSERT(!init_op_row(0));
        ASSERT(!init_op_row(_INIT_OP_MAX));
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
                const InitStep *a = &plan.steps[i], *b = &back.steps[i];

                ASSERT(memcmp(a->num, b->num, sizeof(a->num)) == 0);
                ASSERT_EQ(a->blob_size, b->blob_size);
                ASSERT(a->blob_size == 0 || memcmp(a->blob, b->blob, a->blob_size) == 0);
                ASSERT_EQ((uintptr_t) b->blob % 8, 0);
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

static int recode(const InitPlan *plan) {
        _cleanup_text_ Text bytes = {};
        InitPlan back;

        init_plan_encode(plan, &bytes);
        return decode(bytes.s, bytes.n, &back);
}

static void test_strict(void) {
        _cleanup_(init_plan_done) InitPlan plan = {};
        InitStep *step;

        TEST("what an op does not have, or must have, is checked");
        ASSERT_EQ(recode(&plan), 0);
        step = init_plan_add(&plan, INIT_EXEC);
        ASSERT_EQ(recode(&plan), -EBADMSG);
        step->list[0] = empty;
        ASSERT_EQ(recode(&plan), -EBADMSG);
        step->list[0] = args;
        ASSERT_EQ(recode(&plan), 0);
        step->num[1] = 1;
        ASSERT_EQ(recode(&plan), -EBADMSG);
        *step = (InitStep){ .op = INIT_MASK };
        ASSERT_EQ(recode(&plan), -EBADMSG);
        step->str[0] = "";
        ASSERT_EQ(recode(&plan), 0);
        step->str[2] = "";
        ASSERT_EQ(recode(&plan), -EBADMSG);
        *step = (InitStep){ .op = INIT_OPEN_TREE, .str = { "/" }, .num = { INIT_SLOTS - 1, INIT_RECURSIVE } };
        ASSERT_EQ(recode(&plan), 0);
        step->num[0] = INIT_NO_SLOT;
        ASSERT_EQ(recode(&plan), -EBADMSG);
        *step = (InitStep){ .op = INIT_SECCOMP };
        ASSERT_EQ(recode(&plan), -EBADMSG);
        *step = (InitStep){ .op = _INIT_OP_MAX };
        ASSERT_EQ(recode(&plan), -EBADMSG);
}

static void test_print(void) {
        _cleanup_(init_plan_done) InitPlan plan = {};
        static const char *options[] = { "size=64k", "mode=755", NULL };
        _cleanup_text_ Text text = {};

        TEST("one line a step, numbers by their names");
        *init_plan_add(&plan, INIT_UNSHARE) = (InitStep){ .op = INIT_UNSHARE, .num = { CLONE_NEWNS | CLONE_NEWIPC } };
        *init_plan_add(&plan, INIT_MOUNT) = (InitStep){
                .op = INIT_MOUNT, .str = { "tmpfs", "tmpfs", "/a b" }, .list = { options },
                .num = { MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOATIME, MS_SYNCHRONOUS, MS_SLAVE | MS_REC, 1U << 31, INIT_NO_SLOT,
                         INIT_NO_SLOT } };
        *init_plan_add(&plan, INIT_BIND) = (InitStep){
                .op = INIT_BIND, .str = { "/src", "/dst" },
                .num = { INIT_NO_SLOT, MOUNT_ATTR_RDONLY, MOUNT_ATTR__ATIME, [8] = 4 } };
        *init_plan_add(&plan, INIT_RLIMIT) = (InitStep){ .op = INIT_RLIMIT, .num = { RLIMIT_NOFILE, 0, UINT64_MAX } };
        *init_plan_add(&plan, INIT_STDIO_OWNER) = (InitStep){ .op = INIT_STDIO_OWNER, .num = { 1000, INIT_KEEP_ID } };
        *init_plan_add(&plan, INIT_DEVICE) = (InitStep){
                .op = INIT_DEVICE, .str = { "/dev/null" }, .num = { 'c', 1, 3, 0666, [7] = INIT_NO_SLOT } };
        *init_plan_add(&plan, INIT_CAPABILITIES) = (InitStep){ .op = INIT_CAPABILITIES, .num = { 0x21 } };
        *init_plan_add(&plan, INIT_EXEC) = (InitStep){ .op = INIT_EXEC, .list = { args, empty } };
        init_plan_print(&plan, &text);
        ASSERT_STR(text.s,
                   "unshare flags=mount,ipc\n"
                   "mount type=tmpfs source=tmpfs target=/a\\x20b attrs=nosuid,noatime super=sync "
                   "propagation=slave,recursive extra=0x80000000 options=[size=64k,mode=755]\n"
                   "bind source=/src target=/dst attrs=ro clear=atime keep=4\n"
                   "rlimit resource=nofile soft=0 hard=infinity\n"
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
