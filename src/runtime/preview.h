/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/init/plan.h"
#include "plan/rdt-plan.h"
#include "plan/unit/plan.h"
#include "runtime/filter.h"
#include "runtime/runtime.h"

/* What create would do with a bundle, as far as it can be known without doing it: for `check` and `plan`. Nothing is
 * made, and nothing is asked of systemd. */
typedef struct Preview {
        const Runtime *rt;
        const CreateOptions *options;
        char *bundle, *config;
        size_t config_size;
        const char *id;
        Spec *spec;
        Request request;
        Filter filter;
        UnitPlan unit;
        InitPlan init;
        RdtPlan rdt;
        Arena arena;
} Preview;

#define _cleanup_preview_ _cleanup_(preview_done)
void preview_done(Preview *p);

/* Reads the bundle's config.json, or the other file. options->id NULL: the name of the bundle's directory. */
int preview_read(const Runtime *rt, const CreateOptions *options, Preview *ret, Error *reterr);
/* The parts, of p->spec. Each can fail by itself. */
int preview_filter(Preview *p, Error *reterr);
int preview_unit(Preview *p, Error *reterr);
int preview_init(Preview *p, Error *reterr);
int preview_rdt(Preview *p, Error *reterr);
/* And what the launcher does with them, printed. */
void preview_launch(const Preview *p, Text *ret);
