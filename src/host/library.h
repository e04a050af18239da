/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "basic/error.h"

/* A library that is loaded when it is first needed, and not linked. */

typedef struct LibrarySymbol {
        const char *name;
        void **pointer;         /* where it goes; NULL there: the library is not loaded, or has none */
        bool optional;
} LibrarySymbol;

typedef struct Library {
        const char *soname;
        const char *purpose;    /* in the plural: what cannot be had without it */
        const LibrarySymbol *symbols;
        size_t n_symbols;
        bool loaded;
} Library;

/* Loads it if it is not there yet; -ENOPKG, with nothing of it kept, if there is none or it lacks a symbol. */
int library_load(Library *library, Error *reterr);

/*
 * Defines a Library, and says in an ELF note that the program loads it: that is where makers of packages find
 * what ldd(1) does not show (https://uapi-group.org/specifications/specs/elf_dlopen_metadata/). All but the
 * symbols are string literals; the priority is "required", "recommended" or "suggested".
 */
#define LIBRARY(VARIABLE, SONAME, FEATURE, PURPOSE, PRIORITY, SYMBOLS)                                   \
        DLOPEN_NOTE(VARIABLE##_note, "[{\"feature\":\"" FEATURE "\",\"description\":\"" PURPOSE          \
                                     "\",\"priority\":\"" PRIORITY "\",\"soname\":[\"" SONAME "\"]}]");  \
        static Library VARIABLE = { .soname = SONAME, .purpose = PURPOSE, .symbols = SYMBOLS,            \
                                    .n_symbols = ELEMENTSOF(SYMBOLS) }

/* Without an alignment that is asked for gcc may choose one that leaves gaps between notes. */
#define DLOPEN_NOTE(VARIABLE, JSON)                                                                      \
        static const struct {                                                                            \
                uint32_t name_size, text_size, type;                                                     \
                char name[sizeof("FDO")];                                                                \
                _Alignas(uint32_t) char text[sizeof(JSON)];                                              \
        } VARIABLE __attribute__((used, aligned(sizeof(uint32_t)), section(".note.dlopen"))) =           \
                { sizeof("FDO"), sizeof(JSON), 0x407c0c0aU, "FDO", JSON }
