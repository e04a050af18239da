/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/library.h"

#include <dlfcn.h>
#include <errno.h>

/* The first symbol that is missing, or NULL. */
static const char *take_symbols(const Library *library, void *handle) {
        for (size_t i = 0; i < library->n_symbols; i++) {
                const LibrarySymbol *symbol = library->symbols + i;

                *symbol->pointer = dlsym(handle, symbol->name);
                if (!*symbol->pointer && !symbol->optional)
                        return symbol->name;
        }
        return NULL;
}

int library_load(Library *library, Error *reterr) {
        const char *missing;
        void *handle;

        if (library->loaded)
                return 0;
        handle = dlopen(library->soname, RTLD_NOW);
        if (!handle)
                return error_setf(reterr, ENOPKG, "%s need a library: %s", library->purpose, dlerror());
        missing = take_symbols(library, handle);
        if (missing) {
                for (size_t i = 0; i < library->n_symbols; i++)
                        *library->symbols[i].pointer = NULL;
                dlclose(handle);
                return error_setf(reterr, ENOPKG, "%s need a newer %s: it has no %s", library->purpose,
                                  library->soname, missing);
        }
        library->loaded = true;
        return 0;
}
