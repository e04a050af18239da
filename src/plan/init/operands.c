/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/init/operands.h"

#include "basic/macro.h"

const InitOperand *init_operands(uint64_t op) {
        switch (op) {
#define OPERAND(kind, type, name) { #name, OPERAND_##kind, sizeof(type), offset + offsetof(This, name) },
#define STEP(OP, step, Step, ...)                                         \
        case INIT_##OP: {                                                 \
                typedef Init##Step This _unused_;                         \
                enum { offset = offsetof(InitStep, step) };               \
                static const InitOperand operands[] = { __VA_ARGS__ {} }; \
                                                                          \
                return operands;                                          \
        }
#include "plan/init/steps.def"
        default:
                return NULL;
        }
}

uint64_t init_operand_number(const InitStep *step, const InitOperand *row) {
        const void *p = init_operand(step, row);

        switch (row->size) {
        case 1:
                return *(const uint8_t *) p;
        case 4:
                return *(const uint32_t *) p;
        default:
                return *(const uint64_t *) p;
        }
}
