/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/caller.h"
#include "plan/launch/record.h"

/* Of who is called by systemd, for a container or for a session of one: where the container writes to. */
typedef struct ServiceOutput {
        Runtime rt;   /* with these as standard output and standard error */
        int out, err; /* or -EBADF */
} ServiceOutput;

ServiceOutput service_open_output(const Runtime *rt, const Record *record);
void service_output_done(ServiceOutput *o);
#define _cleanup_service_output_ _cleanup_(service_output_done)
