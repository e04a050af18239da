/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "runtime/runtime.h"

/* What a session is to run: kept in its directory, by who asks, for who is called by systemd. What only who asks can give, as
 * descriptors, is not in it. */
typedef struct SessionRequest {
        ExecOptions options; /* but for the id */
        const char *process; /* the bytes of options.process_file, or NULL */
        size_t process_size;
} SessionRequest;

void session_request_encode(const SessionRequest *request, Text *ret);
/* Refuses what it has not written (-EBADMSG) and changes bytes; all in a. */
int session_request_decode(char *bytes, Arena *a, SessionRequest *ret);

/* Of this session. */
int session_request_read(const Container *session, Arena *a, SessionRequest *ret, Error *reterr);
