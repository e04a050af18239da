/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <ftw.h>

#include "basic/file.h"
#include "fuzz.h"

/* replay PATH...: gives the fuzzer each file that is below a PATH. */

#define FILE_MAX_BYTES (16UL * 1024 * 1024)

static unsigned n_inputs;

/* In memory of exactly that size, so that a read behind the end is seen. */
static void replay(const char *path) {
        _cleanup_free_ char *bytes = NULL;
        uint8_t *input;
        size_t size;

        fprintf(stderr, "%s\n", path);
        if (read_file_at(AT_FDCWD, path, FILE_MAX_BYTES, &bytes, &size) < 0)
                FAIL_AT("cannot read it");
        input = xmalloc0(size);
        memcpy(input, bytes, size);
        ASSERT_EQ(LLVMFuzzerTestOneInput(input, size), 0);
        free(input);
        n_inputs++;
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *where) {
        if (type == FTW_F)
                replay(path);
        return 0;
}

int main(int argc, char **argv) {
        for (int i = 1; i < argc; i++)
                if (nftw(argv[i], visit, 16, FTW_PHYS) < 0)
                        FAIL_AT("%s: cannot look into it", argv[i]);
        fprintf(stderr, "%u inputs\n", n_inputs);
        ASSERT(n_inputs > 0);
        return 0;
}
