/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/container.h"
#include "plan/launch/exit.h"
#include "plan/launch/record.h"

/* Of who is called by systemd, for a container or for a session of one: where the container writes to. */
typedef struct ServiceOutput {
        Runtime rt;   /* with these as standard output and standard error */
        int out, err; /* or -EBADF */
} ServiceOutput;

/* How it has ended, as systemd says: 1; 0: that is no news, of another start or noted already. Strings in a. */
int service_find_end(const Container *c, Arena *a, Exit *ret, Error *reterr);

ServiceOutput service_open_output(const Runtime *rt, const Record *record);
void service_output_done(ServiceOutput *o);
#define _cleanup_service_output_ _cleanup_(service_output_done)
