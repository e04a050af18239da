/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "runtime/session-request.h"

/* For a session that systemd has called us for: the process, which becomes the main one of the unit that we are in. */
int exec_session(const Runtime *rt, const SessionRequest *request, Container *session, Error *reterr);
