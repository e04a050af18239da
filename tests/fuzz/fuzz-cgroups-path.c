/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"
#include "oci/container-id.h"

/* A line that is linux.cgroupsPath, and one that is an id, to the names of a scope and its slice. */

/* The id can be read in the name: two containers have two. */
static void check_default(const char *id, const char *name) {
        _cleanup_free_ char *copy = xstrdup(startswith(name, "ocirt-sd-") ?: "");

        ASSERT(endswith(copy, ".scope"));
        copy[strlen(copy) - strlen(".scope")] = '\0';
        ASSERT_EQ(unescape(copy), 0);
        if (strlen(name) < 200 - 3) /* else the end has become a hash */
                ASSERT_STR(copy, id);
}

static void name(const char *path, const char *id, bool rootless) {
        _cleanup_(arena_done) Arena a = {};
        const char *scope = NULL, *slice = NULL;
        _cleanup_error_ Error e = {};
        int r = unit_name_build(path, id, rootless, &a, &scope, &slice, &e);

        if (r < 0) {
                ASSERT(!isempty(path));
                check_error(r, &e);
                ASSERT(startswith(e.message, "linux.cgroupsPath: "));
                return;
        }
        check_scope_name(scope);
        check_slice_name(slice);
        ASSERT(strlen(scope) <= 200);
        if (isempty(path)) {
                check_default(id, scope);
                ASSERT_STR(slice, rootless ? "user.slice" : "system.slice");
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *input = input_string(data, size);
        char *rest = input, *path, *id;

        if (!input)
                return 0;
        path = next_line(&rest);
        id = next_line(&rest);
        if (!id || !container_id_is_valid(id))
                id = (char *) "c1";
        name(path, id, false);
        name(path, id, true);
        name(NULL, id, false);
        name("", id, true);
        return 0;
}
