/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/seccomp-library.h"

#include "host/library.h"

static SeccompLibrary seccomp;

static const LibrarySymbol symbols[] = {
#define X(function) { "seccomp_" #function, (void **) &seccomp.function },
        SECCOMP_FUNCTIONS(X)
#undef X
        { "seccomp_export_bpf_mem", (void **) &seccomp.export_bpf_mem, .optional = true },
};

LIBRARY(libseccomp, "libseccomp.so.2", "seccomp", "filters of system calls", "recommended", symbols);

/* What this libseccomp can say, whatever the kernel here: the filter may be kept, and a kernel that is too
 * old for it says so when it is loaded. */
static void raise_api_level(void) {
        for (unsigned level = 7; level > 0; level--)
                if (seccomp.api_set(level) == 0)
                        return;
}

int seccomp_library(const SeccompLibrary **ret, Error *reterr) {
        int r;

        r = library_load(&libseccomp, reterr);
        if (r < 0)
                return error_prefixf(reterr, "linux.seccomp");
        raise_api_level();
        *ret = &seccomp;
        return 0;
}
