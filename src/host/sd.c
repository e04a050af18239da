/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/sd.h"

#include "host/library.h"

Sd sd;

static const LibrarySymbol symbols[] = {
#define X(function) { "sd_" #function, (void **) &sd.function },
        SD_FUNCTIONS(X)
#undef X
};

LIBRARY(libsystemd, "libsystemd.so.0", "systemd", "scopes, limits and logs of containers", "required", symbols);

int sd_load(Error *reterr) {
        return library_load(&libsystemd, reterr);
}
