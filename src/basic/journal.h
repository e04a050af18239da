/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The system's logs, without a library. Priorities are syslog(3)'s. */

/* A connection to the journal, or -errno. */
int journal_open(void);
/* container: or NULL. What cannot be sent is lost. */
void journal_send(int fd, int priority, const char *identifier, const char *container, const char *message);

void syslog_open(const char *identifier);
void syslog_send(int priority, const char *message);
