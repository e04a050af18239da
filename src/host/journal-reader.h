/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "basic/error.h"

/* What a container has written to its streams of the journal's (journal_open_stream()), and nobody else in its name. */
typedef struct JournalQuery {
        const char *identifier;
        const char *unit; /* of the system's systemd; NULL: of that of this uid */
        uint32_t uid;
        int priority;     /* the stream's; -1: both */
} JournalQuery;

/* What followed in the stream. */
typedef enum JournalEnd {
        JOURNAL_NEWLINE,
        JOURNAL_NUL,
        JOURNAL_GOES_ON,        /* the rest of the line, which is too long for one entry */
        JOURNAL_EOF,            /* nothing: so it ended */
} JournalEnd;

/* Valid until the next one is asked for. */
typedef struct JournalEntry {
        uint64_t time;          /* µs since 1970 */
        bool error;             /* of standard error */
        const char *text;
        size_t size;
        JournalEnd end;
} JournalEntry;

typedef struct JournalReader JournalReader;

int journal_reader_open(const JournalQuery *query, JournalReader **ret, Error *reterr);
JournalReader *journal_reader_close(JournalReader *j);
#define _cleanup_journal_reader_ _cleanup_(journal_reader_closep)
static inline void journal_reader_closep(JournalReader **j) {
        (void) journal_reader_close(*j);
}

/* To poll, by who goes on reading at the end. */
int journal_reader_fd(const JournalReader *j);

/* Begins with what is from since (µs since 1970; 0: with all), but with the last lines until then alone. */
int journal_reader_seek(JournalReader *j, uint64_t since, uint64_t until, uint64_t lines, Error *reterr);
/* The next one; 0 at the end. */
int journal_reader_next(JournalReader *j, JournalEntry *ret, Error *reterr);
