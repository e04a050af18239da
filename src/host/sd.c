/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/sd.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>

Sd sd;

int sd_load(Error *reterr) {
        static const struct {
                const char *name;
                void **function;
        } functions[] = {
#define X(function) { "sd_" #function, (void **) &sd.function },
                SD_FUNCTIONS(X)
#undef X
        };
        static bool loaded;
        void *library;

        if (loaded)
                return 0;
        library = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_NODELETE);
        if (!library)
                return error_setf(reterr, ENOPKG, "cannot load libsystemd: %s", dlerror());
        for (size_t i = 0; i < ELEMENTSOF(functions); i++) {
                *functions[i].function = dlsym(library, functions[i].name);
                if (!*functions[i].function)
                        return error_setf(reterr, ENOPKG, "libsystemd is too old: it has no %s", functions[i].name);
        }
        loaded = true;
        return 0;
}
