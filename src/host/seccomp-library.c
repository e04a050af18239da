/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/seccomp-library.h"

#include <dlfcn.h>
#include <errno.h>

/* What this libseccomp can say, whatever the kernel here: the filter may be kept, and a kernel that is too
 * old for it says so when it is loaded. */
static void raise_api_level(const SeccompLibrary *library) {
        for (unsigned level = 7; level > 0; level--)
                if (library->api_set(level) == 0)
                        return;
}

int seccomp_library(const SeccompLibrary **ret, Error *reterr) {
        static SeccompLibrary library;
        static const struct {
                const char *name;
                void **function;
        } functions[] = {
#define X(function) { "seccomp_" #function, (void **) &library.function },
                SECCOMP_FUNCTIONS(X)
#undef X
        };
        static void *handle;
        void *opened;

        if (!handle) {
                opened = dlopen("libseccomp.so.2", RTLD_NOW | RTLD_NODELETE);
                if (!opened)
                        return error_setf(reterr, ENOPKG, "linux.seccomp: cannot load libseccomp: %s",
                                          dlerror());
                for (size_t i = 0; i < ELEMENTSOF(functions); i++) {
                        *functions[i].function = dlsym(opened, functions[i].name);
                        if (!*functions[i].function)
                                return error_setf(reterr, ENOPKG,
                                                  "linux.seccomp: libseccomp is too old: it has no %s",
                                                  functions[i].name);
                }
                *(void **) &library.export_bpf_mem = dlsym(opened, "seccomp_export_bpf_mem");
                raise_api_level(&library);
                handle = opened;
        }
        *ret = &library;
        return 0;
}
