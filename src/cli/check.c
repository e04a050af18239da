/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>

#include "cli/create-options.h"

typedef struct CheckOptions {
        CreateOptions create;
        const char *format;
} CheckOptions;

#define FIELD(field) .offset = offsetof(CheckOptions, field)
static const Option options[] = {
        { .name = "config", .letter = 'f', FIELD(create.config), .type = OPTION_STRING, .argument = "FILE", .help = "Instead of config.json of the bundle" },
        { .name = "id", FIELD(create.id), .type = OPTION_STRING, .argument = "ID", .help = "As if for this container" },
        { .name = "format", FIELD(format), .type = OPTION_STRING, .argument = "FORMAT", .help = "text (default) or json" },
        OPTION_END,
};

static void print_text(const Findings *f) {
        for (size_t i = 0; i < f->errors.n; i++)
                printf("error: %s\n", f->errors.s[i]);
        for (size_t i = 0; i < f->warnings.n; i++)
                printf("warning: %s\n", f->warnings.s[i]);
        printf("%zu error%s, %zu warning%s\n", f->errors.n, f->errors.n == 1 ? "" : "s", f->warnings.n,
               f->warnings.n == 1 ? "" : "s");
}

static void add_json(Text *t, const char *level, const Strings *list) {
        for (size_t i = 0; i < list->n; i++) {
                text_addf(t, "%s{\"level\":\"%s\",\"msg\":", t->n > 1 ? "," : "", level);
                text_add_json_string(t, list->s[i]);
                text_add(t, "}");
        }
}

static void print_json(const Findings *f) {
        _cleanup_text_ Text t = {};

        text_add(&t, "[");
        add_json(&t, "error", &f->errors);
        add_json(&t, "warning", &f->warnings);
        printf("%s]\n", t.s);
}

static int check(const Runtime *rt, void *target, char **words, Error *reterr) {
        _cleanup_(findings_done) Findings findings = {};
        CheckOptions *o = target;
        int r;

        if (o->format && !streq(o->format, "text") && !streq(o->format, "json"))
                return error_setf(reterr, EINVAL, "--format: expected text or json, got \"%s\"", o->format);
        o->create.bundle = words[0] ?: ".";
        r = runtime_check(rt, &o->create, &findings, reterr);
        if (r < 0)
                return r;
        if (streq_null(o->format, "json"))
                print_json(&findings);
        else
                print_text(&findings);
        return findings.errors.n > 0 ? 1 : 0;
}

const Verb verb_check = {
        .name = "check", .arguments = "[BUNDLE]", .summary = "Say what is wrong with a bundle, and make nothing",
        .example = "check web",
        .options = options, .options_size = sizeof(CheckOptions), .order = OPTIONS_ANYWHERE, .stateless = true,
        .max_words = 1, .run = check,
};
