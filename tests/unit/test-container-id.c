/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "basic/macro.h"
#include "oci/container-id.h"
#include "test.h"

static void test_ids(void) {
        char id[202];

        TEST("container ids");
        static const char *const good[] = { "a", "c1", "_x", "+", "A.b-c_d+e", "0123456789abcdef", "x.slice", "9" };
        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                ASSERT(container_id_is_valid(good[i]));
        static const char *const bad[] = { "", ".", "..", "-x", ".x", "a/b", "a b", "a@b", "a:b", "a\\x2f", "a\nb",
                                           "\xc3\xa4" };
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ASSERT(!container_id_is_valid(bad[i]));
        memset(id, 'a', sizeof(id));
        id[200] = '\0';
        ASSERT(container_id_is_valid(id));
        id[200] = 'a';
        id[201] = '\0';
        ASSERT(!container_id_is_valid(id));
}

int main(void) {
        test_ids();
        return 0;
}
