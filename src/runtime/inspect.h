/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/unit-view.h"
#include "oci/spec.h"
#include "plan/status.h"
#include "runtime/runtime.h"

/* All that is known of a container, at one look, for who prints it or hands it on. */
typedef struct Inspection {
        Container container;    /* its record, and the copy of its configuration */
        Status status;
        Spec *config;           /* NULL: it cannot be read */
        bool has_ended;         /* and how is known: */
        Exit end;
        const char *failure;    /* why its last start failed, or NULL */
        UnitView unit;
        pid_t *pids;            /* of its processes, sorted; NULL: none, or not to be seen */
        size_t n_pids;
        char process[16];       /* what its first process is called, or "" */
        struct {
                const char *type;
                uint64_t inode;
        } namespaces[8];        /* that its first process is in */
        size_t n_namespaces;
        Arena arena;
} Inspection;

#define INSPECTION_NONE ((Inspection){ .container = { .dir = -EBADF } })
void inspection_done(Inspection *i);
#define _cleanup_inspection_ _cleanup_(inspection_done)

/* Takes no lock. What a part of it cannot be had for is missing, with a warning. */
int runtime_inspect(const Runtime *rt, const char *id, Inspection *ret, Error *reterr);
