/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "basic/journal.h"
#include "basic/moment.h"
#include "cli/logs.h"
#include "cli/verb.h"

typedef struct LogsVerbOptions {
        bool follow;
        const char *since, *until, *lines, *output, *stream;
} LogsVerbOptions;

#define LOGS(field) .offset = offsetof(LogsVerbOptions, field)
static const Option options[] = {
        { .name = "follow", .letter = 'f', LOGS(follow), .type = OPTION_FLAG,
          .help = "Go on until the container has ended" },
        { .name = "since", LOGS(since), .type = OPTION_STRING, .argument = "TIME",
          .help = "Not before: 10m (ago), RFC 3339 or @SECONDS" },
        { .name = "until", LOGS(until), .type = OPTION_STRING, .argument = "TIME", .help = "Not after" },
        { .name = "lines", .letter = 'n', LOGS(lines), .type = OPTION_STRING, .argument = "N",
          .help = "The last N (default: all)" },
        { .name = "output", .letter = 'o', LOGS(output), .type = OPTION_STRING, .argument = "FORMAT",
          .help = "cat (default), short or json" },
        { .name = "stream", LOGS(stream), .type = OPTION_STRING, .argument = "STREAM",
          .help = "stdout or stderr alone" },
        OPTION_ELSEWHERE("tail", 0, "the last N lines are --lines N"),
        OPTION_ELSEWHERE("timestamps", 't', "--output short has the time"),
        OPTION_END,
};

/* A line whose end has not come is kept no longer than this. */
#define LINE_MAX_BYTES ((size_t) 1024 * 1024)

/* A line, as far as it has come. */
typedef struct Line {
        Text text;
        uint64_t time;
} Line;

typedef struct Output {
        void (*print)(FILE *file, const Line *line, bool error);
        bool apart;             /* what comes of standard error goes to ours */
        Line lines[2];          /* of standard output and of standard error */
} Output;

/* --- formats ------------------------------------------------------------------------------------------------------ */

static void print_short(FILE *file, const Line *line, bool error) {
        time_t seconds = (time_t) (line->time / 1000000);
        _cleanup_text_ Text text = {};
        char stamp[64] = "";
        struct tm tm;

        if (localtime_r(&seconds, &tm))
                strftime(stamp, sizeof(stamp), "%b %d %H:%M:%S", &tm);
        text_addf(&text, "%s ", stamp);
        text_add_printable(&text, line->text.s);
        text_add(&text, "\n");
        fwrite(text.s, 1, text.n, file);
}

static bool is_utf8(const Text *t) {
        for (const char *s = t->s; s < t->s + t->n;) {
                size_t n = utf8_length(s, t->s + t->n);

                if (n == 0)
                        return false;
                s += n;
        }
        return true;
}

/* Bytes that are no text are numbers, as with journalctl. */
static void add_message(Text *to, const Text *message) {
        if (is_utf8(message)) {
                text_add_json_string(to, message->s);
                return;
        }
        for (size_t i = 0; i < message->n; i++)
                text_addf(to, "%c%u", i == 0 ? '[' : ',', (unsigned char) message->s[i]);
        text_add(to, "]");
}

static void print_json(FILE *file, const Line *line, bool error) {
        _cleanup_text_ Text text = {};

        text_add(&text, "{\"time\":\"");
        text_add_moment(&text, line->time);
        text_addf(&text, "\",\"stream\":\"%s\",\"message\":", error ? "stderr" : "stdout");
        add_message(&text, &line->text);
        text_add(&text, "}\n");
        fwrite(text.s, 1, text.n, file);
}

/* --- what comes --------------------------------------------------------------------------------------------------- */

/* The order of both is kept where they go to the same place. */
static FILE *open_file(const Output *out, bool error) {
        if (!out->apart || !error)
                return stdout;
        fflush(stdout);
        return stderr;
}

static int check(Error *reterr) {
        return ferror(stdout) ? error_setf(reterr, EIO, "cannot write to standard output") : 0;
}

/* As it was written, but for what the journal leaves out. */
static void write_as_it_is(const Output *out, const JournalEntry *e) {
        FILE *file = open_file(out, e->error);
        _cleanup_text_ Text text = {};

        text_addn(&text, e->text, e->size);
        if (e->end == JOURNAL_NEWLINE || e->end == JOURNAL_NUL)
                text_addn(&text, e->end == JOURNAL_NUL ? "" : "\n", 1);
        fwrite(text.s, 1, text.n, file);
}

static void finish_line(Output *out, bool error) {
        Line *line = &out->lines[error];

        if (line->text.n > 0)
                out->print(open_file(out, error), line, error);
        line->text.n = 0;
}

static int take_entry(void *data, const JournalEntry *e, Error *reterr) {
        Output *out = data;
        Line *line = &out->lines[e->error];

        if (!out->print) {
                write_as_it_is(out, e);
                return check(reterr);
        }
        if (line->text.n == 0)
                line->time = e->time;
        text_addn(&line->text, e->text, e->size);
        if (e->end != JOURNAL_GOES_ON || line->text.n > LINE_MAX_BYTES)
                finish_line(out, e->error);
        return check(reterr);
}

static int flush_output(void *data, Error *reterr) {
        return fflush(stdout) == EOF ? error_setf(reterr, EIO, "cannot write to standard output") : 0;
}

/* --- the verb ----------------------------------------------------------------------------------------------------- */

static int parse_time(const char *option, const char *word, uint64_t *ret, Error *reterr) {
        struct timespec now = {};

        (void) clock_gettime(CLOCK_REALTIME, &now);
        if (!word || parse_moment(word, (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000, ret) == 0)
                return 0;
        return error_setf(reterr, EINVAL,
                          "--%s: expected a time such as 10m (ago), 2026-11-30T10:00:00Z or @1700000000, got \"%s\"",
                          option, word);
}

static int parse_output(const char *word, Output *out, Error *reterr) {
        if (!word || streq(word, "cat"))
                return 0;
        if (!streq(word, "short") && !streq(word, "json"))
                return error_setf(reterr, EINVAL, "--output: expected cat, short or json, got \"%s\"", word);
        out->print = streq(word, "short") ? print_short : print_json;
        out->apart = streq(word, "short");
        return 0;
}

static int parse_options(const LogsVerbOptions *o, LogsOptions *ret, Error *reterr) {
        if (o->lines && !streq(o->lines, "all") && parse_u64(o->lines, &ret->lines) < 0)
                return error_setf(reterr, EINVAL, "--lines: expected a number or all, got \"%s\"", o->lines);
        if (o->stream && !streq(o->stream, "stdout") && !streq(o->stream, "stderr"))
                return error_setf(reterr, EINVAL, "--stream: expected stdout or stderr, got \"%s\"", o->stream);
        if (o->stream)
                ret->priority = streq(o->stream, "stdout") ? JOURNAL_OUTPUT : JOURNAL_ERROR;
        ret->follow = o->follow;
        if (parse_time("since", o->since, &ret->since, reterr) < 0)
                return -EINVAL;
        return parse_time("until", o->until, &ret->until, reterr);
}

static int print_all(const Runtime *rt, const char *id, const LogsOptions *o, Output *out, Error *reterr) {
        const LogSink sink = { .entry = take_entry, .pause = flush_output, .data = out };
        int r = runtime_logs(rt, id, o, &sink, reterr);

        for (size_t i = 0; i < ELEMENTSOF(out->lines); i++) {
                if (r == 0)
                        finish_line(out, i);
                text_done(&out->lines[i].text);
        }
        return r;
}

static int logs(const Runtime *rt, void *target, char **words, Error *reterr) {
        LogsOptions o = { .until = UINT64_MAX, .lines = UINT64_MAX, .priority = -1 };
        Output out = { .apart = true };
        const LogsVerbOptions *given = target;
        int r;

        r = parse_options(given, &o, reterr);
        if (r == 0)
                r = parse_output(given->output, &out, reterr);
        return r < 0 ? r : print_all(rt, words[0], &o, &out, reterr);
}

int logs_print_last(const Runtime *rt, const char *id, uint64_t lines, Error *reterr) {
        const LogsOptions o = { .until = UINT64_MAX, .lines = lines, .priority = -1 };
        Output out = { .print = print_short };

        return print_all(rt, id, &o, &out, reterr);
}

const Verb verb_logs = {
        .name = "logs", .arguments = "ID", .summary = "Print what a supervised container has written",
        .example = "logs --follow --since 10m web",
        .options = options, .options_size = sizeof(LogsVerbOptions), .order = OPTIONS_ANYWHERE,
        .min_words = 1, .max_words = 1, .run = logs,
};
