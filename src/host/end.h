/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/container.h"
#include "plan/launch/exit.h"

/* What is kept of the end of a container's last start, in its directory. Who has seen it writes it, without the lock: that
 * may be held by who waits for just this. */

/* -ENOENT: nobody has seen it. Strings in a. */
int end_read(const Container *c, Arena *a, Exit *ret);
int end_keep(const Container *c, const Exit *e, Error *reterr);

/* Why a service could not be started, in a sentence, for who waits for that; in a, or NULL. */
const char *end_read_failure(const Container *c, Arena *a);
void end_keep_failure(const Container *c, const char *message);

/* It is started once more. */
void end_forget(const Container *c);
