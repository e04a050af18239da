/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "runtime/session-request.h"

/* Has systemd start a session in this container, and waits until its program is executed. *ret_name is for free(). */
int session_begin(const Runtime *rt, const SessionRequest *request, const Container *container, char **ret_name,
                  Error *reterr);

/* Ends what runs of it, the unit, too, and forgets it. */
int session_remove(const Runtime *rt, Container *session, Error *reterr);
