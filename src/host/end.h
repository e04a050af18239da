/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/container.h"
#include "plan/launch/exit.h"

/* What is kept of the end of a container's last start, in its directory. Who has seen it writes it, without the lock: that
 * may be held by who waits for just this. And into a file that is there since the start, as a container may be gone as soon as
 * it has ended: who has that file open has the status all the same. */

/* It is started, perhaps once more. */
void end_expect(const Container *c);
int end_keep(const Container *c, const Exit *e, Error *reterr);

/* The file, for end_read(), or -errno. */
int end_open(const Container *c);
/* -ENOENT: nobody has seen it, yet. Strings in a. */
int end_read(int fd, Arena *a, Exit *ret);
/* The same of one that has stopped, and if nobody has written it down, of a service what systemd says of it. */
int end_find(const Container *c, int fd, Arena *a, Exit *ret);

/* Why a service could not be started, in a sentence, for who waits for that; in a, or NULL. */
const char *end_read_failure(const Container *c, Arena *a);
void end_keep_failure(const Container *c, const char *message);
/* Of the start that is asked for next there is none yet. */
void end_forget_failure(const Container *c);
