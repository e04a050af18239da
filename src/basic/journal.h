/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The system's logs, without a library. Priorities are syslog(3)'s. */

/* A connection to the journal, or -errno. */
int journal_open(void);
/* container: or NULL. What cannot be sent is lost. */
void journal_send(int fd, int priority, const char *identifier, const char *container, const char *message);

/* A stream of which each line becomes an entry (sd_journal_stream_fd(3)), or -errno. unit: of who writes there, for what comes
 * of a process that is gone when it is read; believed of root alone; or "". */
int journal_open_stream(const char *identifier, const char *unit, int priority);
bool journal_is_stream(int fd);
/* Until it has read all that was written to it before. -EACCES: before systemd 258 root alone may ask for that. */
int journal_synchronize(uint64_t deadline);
/* The priorities of a container's standard output and standard error, as Podman and Docker have them. */
#define JOURNAL_OUTPUT 6
#define JOURNAL_ERROR 3

void syslog_open(const char *identifier);
void syslog_send(int priority, const char *message);
