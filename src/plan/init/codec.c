/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "plan/init/ops.h"
#include "plan/init/plan.h"

/*
 * The plan as bytes, in the machine's own byte order (both ends are of one build on one machine):
 *   header: magic, number of steps, size of all of it
 *   step:   op, then a mask that says which of its numbers (when not 0), strings, lists, blob and origin follow, in
 *           this order
 *   string: its length, the bytes, a NUL; list: its length, the strings
 *   blob:   its size, zeros up to a multiple of 8, the bytes
 * There is one encoding of a plan: the decoder refuses every other, a number 0 that is spelt out among them.
 */
#define MAGIC 0x31505349U /* "ISP1" */
#define BLOB_ALIGN 8U

#define NUM_BIT(i) (1U << (i))
#define STR_BIT(i) (1U << (INIT_NUMS + (i)))
#define LIST_BIT(i) (1U << (INIT_NUMS + INIT_STRS + (i)))
#define BLOB_BIT (1U << (INIT_NUMS + INIT_STRS + INIT_LISTS))
#define ORIGIN_BIT (BLOB_BIT << 1)

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

static void put_blob(Text *t, const void *blob, size_t size) {
        static const char zeros[BLOB_ALIGN];

        put_u64(t, size);
        text_addn(t, zeros, -t->n % BLOB_ALIGN);
        text_addn(t, blob, size);
}

static uint32_t step_mask(const InitStep *step) {
        uint32_t mask = (step->blob ? BLOB_BIT : 0) | (step->origin ? ORIGIN_BIT : 0);

        for (unsigned i = 0; i < INIT_NUMS; i++)
                mask |= step->num[i] != 0 ? NUM_BIT(i) : 0;
        for (unsigned i = 0; i < INIT_STRS; i++)
                mask |= step->str[i] ? STR_BIT(i) : 0;
        for (unsigned i = 0; i < INIT_LISTS; i++)
                mask |= step->list[i] ? LIST_BIT(i) : 0;
        return mask;
}

void init_plan_encode(const InitPlan *plan, Text *ret) {
        PlanHeader header = { .magic = MAGIC, .n_steps = (uint32_t) plan->n_steps };
        Text t = {};

        text_addn(&t, (const char *) &header, sizeof(header));
        for (const InitStep *step = plan->steps; step < plan->steps + plan->n_steps; step++) {
                put_u32(&t, step->op);
                put_u32(&t, step_mask(step));
                for (unsigned i = 0; i < INIT_NUMS; i++)
                        if (step->num[i] != 0)
                                put_u64(&t, step->num[i]);
                for (unsigned i = 0; i < INIT_STRS; i++)
                        if (step->str[i])
                                put_string(&t, step->str[i]);
                for (unsigned i = 0; i < INIT_LISTS; i++)
                        if (step->list[i])
                                put_list(&t, step->list[i]);
                if (step->blob)
                        put_blob(&t, step->blob, step->blob_size);
                if (step->origin)
                        put_string(&t, step->origin);
        }
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

static bool take_list(Input *in, InitListKind kind, const char ***ret) {
        const char **list;
        uint32_t n;

        /* A string is five bytes at least: what cannot be there gets no memory. */
        if (!take(in, &n, sizeof(n)) || n > (size_t) (in->end - in->p) / 5 || (n == 0 && kind == LIST_NOT_EMPTY))
                return false;
        list = arena_calloc(in->arena, (size_t) n + 1, sizeof(*list));
        for (uint32_t i = 0; i < n; i++)
                if (!take_string(in, &list[i]))
                        return false;
        *ret = list;
        return true;
}

static bool take_blob(Input *in, InitStep *step) {
        uint64_t size;

        if (!take(in, &size, sizeof(size)))
                return false;
        for (; (size_t) (in->p - in->start) % BLOB_ALIGN != 0; in->p++)
                if (in->p == in->end || *in->p != 0)
                        return false;
        if (size == 0 || size > (size_t) (in->end - in->p))
                return false;
        step->blob = in->p;
        step->blob_size = (size_t) size;
        in->p += size;
        return true;
}

static bool number_is_valid(InitNumKind kind, uint64_t v) {
        switch (kind) {
        case NUM_NONE:
                return v == 0;
        case NUM_BOOL:
                return v <= 1;
        case NUM_SLOT:
                return v < INIT_SLOTS;
        case NUM_SLOT_OR_NONE:
                return v < INIT_SLOTS || v == INIT_NO_SLOT;
        default:
                return true;
        }
}

static bool take_numbers(Input *in, uint32_t mask, const InitOpRow *row, InitStep *step) {
        for (unsigned i = 0; i < INIT_NUMS; i++) {
                if ((mask & NUM_BIT(i)) && (!take(in, &step->num[i], sizeof(step->num[i])) || step->num[i] == 0))
                        return false;
                if (!number_is_valid(row->num[i].kind, step->num[i]))
                        return false;
        }
        return true;
}

static bool take_step(Input *in, InitPlan *plan) {
        uint32_t op, mask;
        const InitOpRow *row;
        InitStep *step;

        if (!take(in, &op, sizeof(op)) || !take(in, &mask, sizeof(mask)) || mask >= ORIGIN_BIT << 1)
                return false;
        row = init_op_row(op);
        if (!row || ((mask & BLOB_BIT) != 0) != row->blob)
                return false;
        step = init_plan_add(plan, op);
        *step = (InitStep){ .op = op }; /* what is 0 is left out */
        if (!take_numbers(in, mask, row, step))
                return false;
        for (unsigned i = 0; i < INIT_STRS; i++)
                if (mask & STR_BIT(i) ? !row->str[i].name || !take_string(in, &step->str[i])
                                      : row->str[i].name && !row->str[i].optional)
                        return false;
        for (unsigned i = 0; i < INIT_LISTS; i++)
                if (mask & LIST_BIT(i) ? row->list[i].kind == LIST_NONE ||
                                                 !take_list(in, row->list[i].kind, &step->list[i])
                                       : row->list[i].kind == LIST_NOT_EMPTY)
                        return false;
        if (row->blob && !take_blob(in, step))
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
