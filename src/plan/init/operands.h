/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/init/plan.h"

/* The operands of steps.def as rows, for who goes through those of any step: the encoder, the decoder and the printer. */

typedef enum InitOperandKind {
        OPERAND_STRING = 1,
        OPERAND_STRING_OR_NONE,
        OPERAND_LIST,
        OPERAND_LIST_OR_NONE,
        OPERAND_BLOB,
        OPERAND_BLOB_OR_NONE,
        /* Numbers, of the size that the row says: */
        OPERAND_SLOT,
        OPERAND_SLOT_OR_NONE,
        OPERAND_BOOL,             /* printed as its name alone, when it is true */
        OPERAND_UNSIGNED,
        OPERAND_UNSIGNED_OR_NONE, /* not printed when 0 */
        OPERAND_SIGNED,
        OPERAND_ID,
        OPERAND_SIZE,
        OPERAND_MODE,
        OPERAND_NODE_TYPE,
        OPERAND_RESOURCE,
        OPERAND_CAPS,
        /* Flags, not printed when 0: */
        OPERAND_NAMESPACES,
        OPERAND_ATTRS,
        OPERAND_SUPER,
        OPERAND_PROPAGATION,
        OPERAND_EXTRA,
        OPERAND_SET,
        OPERAND_SECCOMP_FLAGS,
        OPERAND_HEX,
} InitOperandKind;

typedef struct InitOperand {
        char name[20];
        uint8_t kind, size;
        uint16_t offset;          /* in InitStep */
} InitOperand;

/* Those of the op, with a kind of 0 behind the last; NULL when there is no such op. */
const InitOperand *init_operands(uint64_t op);

/* The operand of that row: const char * and the like. */
static inline void *init_operand(const InitStep *step, const InitOperand *row) {
        return (char *) step + row->offset;
}

/* A number of any size; I64 as two's complement. */
uint64_t init_operand_number(const InitStep *step, const InitOperand *row);
