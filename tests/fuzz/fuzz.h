/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "../unit/test.h"
#include "oci/json.h"
#include "plan/init/build.h"
#include "plan/unit/plan.h"

/*
 * A fuzzer is one function, which gets bytes that may be anything and asserts what has to hold for them.
 * Linked with libFuzzer (tests/fuzz/run) it is given inputs that lead to new branches; linked with replay.c
 * (meson test --suite fuzz) those that were found so.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of those that read JSON: the properties of the document, for mutate.c. */
extern const JsonField *const grammar;

/* The bytes as a string, up to a NUL if there is one; to be freed. NULL when they are not UTF-8: the
 * reader of JSON lets nothing else pass. */
char *input_string(const uint8_t *data, size_t size);

/* Cuts the next line off *s, which becomes NULL after the last. */
char *next_line(char **s);

/* UTF-8 without control characters. */
void check_one_line(const char *s);
/* A printed plan: so many of them. Cuts it up. */
void check_printed(Text *printed, size_t n_lines);

/* What every refusal has: one sentence, the errno that was returned, no control character, UTF-8. */
void check_error(int r, const Error *e);

/* What systemd takes for the name of a scope or a slice. */
void check_scope_name(const char *name);
void check_slice_name(const char *name);

/* Values that systemd takes and the kernel's files can be given. annotated: some are not ours. */
void check_unit_plan(const UnitPlan *plan, bool annotated);

/* It comes out of the codec as it went in, and what it opens and where it goes has an order. */
void check_init_plan(const InitPlan *plan);
/* The same for what belongs to the spec: everything that confines the process is there, in time. */
void check_confinement(const InitPlan *plan, const Spec *spec, const SpecProcess *process);
