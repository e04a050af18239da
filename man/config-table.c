/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "basic/str.h"
#include "oci/spec-fields.h"

/* Prints where each property of config.json goes, from the rows that read it: "process.cwd<TAB>helper: chdir". */

static void print(const JsonField *fields, const char *prefix, const char *note) {
        for (const JsonField *f = fields; f->name; f++) {
                _cleanup_free_ char *path = xasprintf("%s%s", prefix, f->name), *below = NULL;

                if (!f->fields) {
                        printf("%s\t%s\n", path, f->note ?: note);
                        continue;
                }
                below = xasprintf("%s%s.", path, f->each ?: "");
                print(f->fields, below, f->note ?: note);
        }
}

int main(void) {
        print(spec_fields, "", "");
        return 0;
}
