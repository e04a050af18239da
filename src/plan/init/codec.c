/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "plan/init/operands.h"

/*
 * The plan as bytes, in the machine's own byte order (both ends are of one build on one machine):
 *   header: magic, number of steps, size of all of it
 *   step:   op, then a mask that says which of its operands follow, and whether its origin does, behind them. What does
 *           not is 0, NULL or false
 *   number: as it is in memory
 *   string: its length, the bytes, a NUL; list: its length, the strings
 *   blob:   its size, zeros up to a multiple of 8, the bytes
 * There is one encoding of a plan: the decoder refuses every other, a number 0 that is spelt out among them.
 */
#define MAGIC 0x32505349U /* "ISP2" */
#define BLOB_ALIGN 8U

#define ORIGIN_BIT (1U << 31)

typedef struct PlanHeader {
        uint32_t magic, n_steps;
        uint64_t size;
} PlanHeader;

static void put_u32(Text *t, size_t v) {
        uint32_t v32 = (uint32_t) v;

        text_addn(t, (const char *) &v32, sizeof(v32));
}

static void put_u64(Text *t, uint64_t v) {
        text_addn(t, (const char *) &v, sizeof(v));
}

static void put_string(Text *t, const char *s) {
        size_t n = strlen(s);

        put_u32(t, n);
        text_addn(t, s, n + 1);
}

static void put_list(Text *t, const char **list) {
        size_t n = 0;

        while (list[n])
                n++;
        put_u32(t, n);
        for (size_t i = 0; i < n; i++)
                put_string(t, list[i]);
}

static void put_blob(Text *t, const InitBlob *blob) {
        static const char zeros[BLOB_ALIGN];

        put_u64(t, blob->size);
        text_addn(t, zeros, -t->n % BLOB_ALIGN);
        text_addn(t, blob->bytes, blob->size);
}

static bool is_given(const InitStep *step, const InitOperand *row) {
        const char *p = init_operand(step, row);

        for (unsigned i = 0; i < row->size; i++)
                if (p[i] != 0)
                        return true;
        return false;
}

static void put_operand(Text *t, const InitStep *step, const InitOperand *row) {
        const void *p = init_operand(step, row);

        switch (row->kind) {
        case OPERAND_STRING:
        case OPERAND_STRING_OR_NONE:
                return put_string(t, *(const char *const *) p);
        case OPERAND_LIST:
        case OPERAND_LIST_OR_NONE:
                return put_list(t, *(const char **const *) p);
        case OPERAND_BLOB:
        case OPERAND_BLOB_OR_NONE:
                return put_blob(t, p);
        default:
                text_addn(t, p, row->size);
        }
}

static void put_step(Text *t, const InitStep *step) {
        const InitOperand *rows = init_operands(step->op);
        uint32_t mask = step->origin ? ORIGIN_BIT : 0;

        for (unsigned i = 0; rows[i].kind; i++)
                mask |= is_given(step, &rows[i]) ? 1U << i : 0;
        put_u32(t, step->op);
        put_u32(t, mask);
        for (unsigned i = 0; rows[i].kind; i++)
                if (mask & 1U << i)
                        put_operand(t, step, &rows[i]);
        if (step->origin)
                put_string(t, step->origin);
}

void init_plan_encode(const InitPlan *plan, Text *ret) {
        PlanHeader header = { .magic = MAGIC, .n_steps = (uint32_t) plan->n_steps };
        Text t = {};

        text_addn(&t, (const char *) &header, sizeof(header));
        for (const InitStep *step = plan->steps; step < plan->steps + plan->n_steps; step++)
                put_step(&t, step);
        header.size = t.n;
        memcpy(t.s, &header, sizeof(header));
        *ret = t;
}

/* What is left to read. */
typedef struct Input {
        const char *start, *p, *end;
        Arena *arena;
} Input;

static bool take(Input *in, void *ret, size_t size) {
        if ((size_t) (in->end - in->p) < size)
                return false;
        memcpy(ret, in->p, size);
        in->p += size;
        return true;
}

static bool take_string(Input *in, const char **ret) {
        uint32_t n;

        if (!take(in, &n, sizeof(n)) || n >= (size_t) (in->end - in->p) ||
            memchr(in->p, '\0', (size_t) n + 1) != in->p + n)
                return false;
        *ret = in->p;
        in->p += (size_t) n + 1;
        return true;
}

static bool take_list(Input *in, bool may_be_empty, const char ***ret) {
        const char **list;
        uint32_t n;

        /* A string is five bytes at least: what cannot be there gets no memory. */
        if (!take(in, &n, sizeof(n)) || n > (size_t) (in->end - in->p) / 5 || (n == 0 && !may_be_empty))
                return false;
        list = arena_calloc(in->arena, (size_t) n + 1, sizeof(*list));
        for (uint32_t i = 0; i < n; i++)
                if (!take_string(in, &list[i]))
                        return false;
        *ret = list;
        return true;
}

static bool take_blob(Input *in, InitBlob *ret) {
        uint64_t size;

        if (!take(in, &size, sizeof(size)))
                return false;
        for (; (size_t) (in->p - in->start) % BLOB_ALIGN != 0; in->p++)
                if (in->p == in->end || *in->p != 0)
                        return false;
        if (size == 0 || size > (size_t) (in->end - in->p))
                return false;
        *ret = (InitBlob){ in->p, (size_t) size };
        in->p += size;
        return true;
}

/* Into memory that is zeroed. */
static bool take_number(Input *in, const InitOperand *row, InitStep *step) {
        char *to = init_operand(step, row);
        uint64_t v;

        /* Before there is a bool that is neither true nor false. */
        if (row->kind == OPERAND_BOOL && (in->p == in->end || *in->p != 1))
                return false;
        if (!take(in, to, row->size))
                return false;
        v = init_operand_number(step, row);
        return v != 0 && (v <= INIT_SLOTS || (row->kind != OPERAND_SLOT && row->kind != OPERAND_SLOT_OR_NONE));
}

static bool take_operand(Input *in, const InitOperand *row, InitStep *step) {
        void *to = init_operand(step, row);

        switch (row->kind) {
        case OPERAND_STRING:
        case OPERAND_STRING_OR_NONE:
                return take_string(in, to);
        case OPERAND_LIST:
        case OPERAND_LIST_OR_NONE:
                return take_list(in, row->kind == OPERAND_LIST_OR_NONE, to);
        case OPERAND_BLOB:
        case OPERAND_BLOB_OR_NONE:
                return take_blob(in, to);
        default:
                return take_number(in, row, step);
        }
}

static bool may_be_missing(const InitOperand *row) {
        return row->kind != OPERAND_STRING && row->kind != OPERAND_LIST && row->kind != OPERAND_BLOB &&
               row->kind != OPERAND_SLOT;
}

static bool take_step(Input *in, InitPlan *plan) {
        const InitOperand *rows;
        uint32_t op, mask;
        InitStep *step;
        unsigned n = 0;

        if (!take(in, &op, sizeof(op)) || !take(in, &mask, sizeof(mask)))
                return false;
        rows = init_operands(op);
        if (!rows)
                return false;
        step = init_plan_add(plan, op, NULL);
        for (; rows[n].kind; n++)
                if (mask & 1U << n ? !take_operand(in, &rows[n], step) : !may_be_missing(&rows[n]))
                        return false;
        if ((mask & ~ORIGIN_BIT) >> n)
                return false;
        return !(mask & ORIGIN_BIT) || take_string(in, &step->origin);
}

int init_plan_decode(const void *bytes, size_t size, InitPlan *ret) {
        _cleanup_(init_plan_done) InitPlan plan = {};
        Input in = { .start = bytes, .p = bytes, .end = (const char *) bytes + size, .arena = &plan.arena };
        PlanHeader header;

        if (!take(&in, &header, sizeof(header)) || header.magic != MAGIC || header.size != size)
                return -EBADMSG;
        for (uint32_t i = 0; i < header.n_steps; i++)
                if (!take_step(&in, &plan))
                        return -EBADMSG;
        if (in.p != in.end)
                return -EBADMSG;
        *ret = plan;
        plan = (InitPlan){};
        return 0;
}
