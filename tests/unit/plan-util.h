/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <errno.h>

#include "basic/str.h"
#include "plan/unit/plan.h"
#include "test.h"

/* Fragments of a config.json to a printed unit plan or to an error. */

typedef struct Planned {
        int r;
        Error error;
        Text text;
        UnitPlan plan;
        Spec *spec;
} Planned;

static inline void planned_done(Planned *p) {
        unit_plan_done(&p->plan);
        error_done(&p->error);
        text_done(&p->text);
        p->spec = spec_free(p->spec);
}
#define _cleanup_planned_ _cleanup_(planned_done)

/* linux_: the inside of "linux"; annotations: the inside of "annotations". */
static inline Planned plan_request(const char *linux_, const char *annotations, bool rootless, Supervision supervision) {
        const HostFacts facts = { .rootless = rootless, .privileged = true };
        const Request request = { .id = "c1", .bundle = "/b", .supervision = supervision };
        _cleanup_text_ Text json = {};
        Planned p = {};

        text_addf(&json,
                  "{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"rootfs\"},\"linux\":{%s},\"annotations\":{%s}}",
                  linux_, annotations);
        p.r = spec_parse(json.s, json.n, &p.spec, &p.error);
        if (p.r >= 0)
                p.r = unit_plan_build(p.spec, &request, &facts, &p.plan, &p.error);
        if (p.r >= 0)
                unit_plan_print(&p.plan, &p.text);
        return p;
}

static inline Planned plan_with(const char *linux_, const char *annotations, bool rootless) {
        return plan_request(linux_, annotations, rootless, (Supervision){});
}

/* Is the line in the printed plan, as it is? */
static inline void expect_line(const Planned *p, const char *line) {
        _cleanup_text_ Text text = {}, wanted = {};

        if (p->r < 0)
                FAIL_AT("expected \"%s\", got the error: %s", line, p->error.message);
        text_addf(&text, "\n%s", p->text.s);
        text_addf(&wanted, "\n%s\n", line);
        if (!strstr(text.s, wanted.s))
                FAIL_AT("no line \"%s\" in:\n%s", line, p->text.s);
}

static inline void expect_no(const Planned *p, const char *word) {
        if (p->r < 0)
                FAIL_AT("expected a plan, got the error: %s", p->error.message);
        if (strstr(p->text.s, word))
                FAIL_AT("\"%s\" in:\n%s", word, p->text.s);
}

static inline void expect_error(const Planned *p, int code, const char *part) {
        if (p->r >= 0)
                FAIL_AT("expected an error with \"%s\", got:\n%s", part, p->text.s);
        if (p->r != -code || !strstr(p->error.message, part))
                FAIL_AT("expected error %d with \"%s\", got %d: %s", code, part, -p->r, p->error.message);
}
