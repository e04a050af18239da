/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/journal-reader.h"

#include <errno.h>
#include <inttypes.h>

#include "basic/alloc.h"
#include "basic/journal.h"
#include "basic/str.h"
#include "host/sd.h"

struct JournalReader {
        sd_journal *journal;
};

/* --- whose entries ------------------------------------------------------------------------------------------------ */

/* Those of the same field are alternatives, those of different ones are not. */
static int match(sd_journal *j, const char *field, const char *value) {
        _cleanup_free_ char *term = xasprintf("%s=%s", field, value);

        return sd.journal_add_match(j, term, 0);
}

static int match_number(sd_journal *j, const char *field, uint32_t value) {
        _cleanup_free_ char *digits = xasprintf("%" PRIu32, value);

        return match(j, field, digits);
}

/* The identifier anybody can give himself. But fields with an underscore are the journal's. It has the unit from who opened the
 * stream, if that was root. That of a user's container it has from the cgroup of the process that wrote, if that is still there
 * when it looks: so there the user has to do, and it is the cgroup that tells him if he writes with a subordinate id. */
static int match_writer(sd_journal *j, const JournalQuery *q) {
        int r;

        if (q->unit)
                return match(j, "_SYSTEMD_UNIT", q->unit);
        r = sd.journal_add_conjunction(j);
        if (r >= 0)
                r = match_number(j, "_UID", q->uid);
        if (r >= 0)
                r = sd.journal_add_disjunction(j);
        return r < 0 ? r : match_number(j, "_SYSTEMD_OWNER_UID", q->uid);
}

static int select_entries(sd_journal *j, const JournalQuery *q) {
        int r = match(j, "_TRANSPORT", "stdout");

        if (r >= 0)
                r = match(j, "SYSLOG_IDENTIFIER", q->identifier);
        if (r >= 0 && q->priority >= 0)
                r = match_number(j, "PRIORITY", (uint32_t) q->priority);
        return r < 0 ? r : match_writer(j, q);
}

static bool may_be_read(sd_journal *j) {
        return sd.journal_has_runtime_files(j) > 0 || sd.journal_has_persistent_files(j) > 0;
}

int journal_reader_open(const JournalQuery *query, JournalReader **ret, Error *reterr) {
        _cleanup_journal_reader_ JournalReader *j = NULL;
        int r = sd_load(reterr);

        if (r < 0)
                return r;
        j = xmalloc0(sizeof(*j));
        r = sd.journal_open(&j->journal, SD_JOURNAL_LOCAL_ONLY);
        if (r >= 0)
                r = sd.journal_set_data_threshold(j->journal, 0);
        if (r >= 0)
                r = sd.journal_get_fd(j->journal); /* from now on it is known of files that come and go */
        if (r >= 0)
                r = select_entries(j->journal, query);
        if (r < 0)
                return error_errnof(reterr, r, "cannot open the journal");
        if (!may_be_read(j->journal))
                return error_errnof(reterr, EACCES,
                                    "cannot read the journal, which group systemd-journal may, and what is their own "
                                    "everybody if it is kept on disk");
        *ret = TAKE_PTR(j);
        return 0;
}

JournalReader *journal_reader_close(JournalReader *j) {
        if (j && j->journal)
                sd.journal_close(j->journal);
        free(j);
        return NULL;
}

int journal_reader_fd(const JournalReader *j) {
        return sd.journal_get_fd(j->journal);
}

/* --- entries ------------------------------------------------------------------------------------------------------ */

/* 0: the entry has none. */
static int get(sd_journal *j, const char *field, const char **ret, size_t *ret_size) {
        const void *data;
        size_t n = 0, name = strlen(field) + 1;
        int r = sd.journal_get_data(j, field, &data, &n);

        if (r == -ENOENT || r == -EBADMSG) /* it was not written to its end when the machine crashed */
                return 0;
        if (r < 0 || n < name)
                return r;
        *ret = (const char *) data + name;
        *ret_size = n - name;
        return 1;
}

static bool is(sd_journal *j, const char *field, const char *value) {
        const char *s = "";
        size_t n = 0;

        return get(j, field, &s, &n) > 0 && n == strlen(value) && memcmp(s, value, n) == 0;
}

static bool is_error(sd_journal *j) {
        const char *s = "";
        size_t n = 0;

        return get(j, "PRIORITY", &s, &n) > 0 && n == 1 && s[0] == '0' + JOURNAL_ERROR;
}

/* With "pid-change" another process has written on. If it began with a newline there is no trace of that, and a line too many
 * is better than two that have become one. */
static JournalEnd get_end(sd_journal *j) {
        static const struct {
                const char *name;
                JournalEnd end;
        } breaks[] = { { "nul", JOURNAL_NUL }, { "line-max", JOURNAL_GOES_ON }, { "eof", JOURNAL_EOF } };

        for (size_t i = 0; i < ELEMENTSOF(breaks); i++)
                if (is(j, "_LINE_BREAK", breaks[i].name))
                        return breaks[i].end;
        return JOURNAL_NEWLINE;
}

static int get_entry(sd_journal *j, JournalEntry *ret) {
        int r = sd.journal_get_realtime_usec(j, &ret->time);

        if (r < 0)
                return r == -EBADMSG ? 0 : r;
        ret->error = is_error(j);
        ret->end = get_end(j);
        return get(j, "MESSAGE", &ret->text, &ret->size); /* last, as it is gone with the next call */
}

static int step(sd_journal *j) {
        int r = sd.journal_next(j);

        /* The file may be another by now. */
        return r == 0 && sd.journal_process(j) > 0 ? sd.journal_next(j) : r;
}

int journal_reader_next(JournalReader *j, JournalEntry *ret, Error *reterr) {
        int r;

        while ((r = step(j->journal)) > 0)
                if ((r = get_entry(j->journal, ret)) != 0)
                        break;
        return r < 0 ? error_errnof(reterr, r, "cannot read the journal") : r;
}

/* --- where to begin ----------------------------------------------------------------------------------------------- */

/* Back to the end of the line before; 0: there is none, and all is wanted. */
static int go_back(sd_journal *j, uint64_t since, uint64_t lines) {
        int r;

        while ((r = sd.journal_previous(j)) > 0) {
                JournalEntry entry;

                r = get_entry(j, &entry);
                if (r < 0)
                        return r;
                if (r > 0 && (entry.time < since || (entry.end != JOURNAL_GOES_ON && lines-- == 0)))
                        return 1;
        }
        return r;
}

int journal_reader_seek(JournalReader *j, uint64_t since, uint64_t until, uint64_t lines, Error *reterr) {
        int r = 0;

        if (lines < UINT64_MAX) {
                r = until < UINT64_MAX ? sd.journal_seek_realtime_usec(j->journal, until + 1)
                                       : sd.journal_seek_tail(j->journal);
                r = r < 0 ? r : go_back(j->journal, since, lines);
        }
        if (r == 0)
                r = since > 0 ? sd.journal_seek_realtime_usec(j->journal, since) : sd.journal_seek_head(j->journal);
        return r < 0 ? error_errnof(reterr, r, "cannot seek in the journal") : 0;
}
