/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "basic/program.h"
#include "basic/str.h"
#include "cli/ps-sessions.h"
#include "cli/verb.h"

#define OUTPUT_MAX_BYTES (64UL * 1024 * 1024)

typedef struct PsOptions {
        const char *format;
        bool sessions;
} PsOptions;

#define OPTION_OF_PS(letter) OPTION_ELSEWHERE("", letter, "options of ps(1) come after the ID: ocirt-sd ps ID -o pid,args")

static const Option options[] = {
        { .name = "format", .letter = 'f', .offset = offsetof(PsOptions, format), .type = OPTION_STRING,
          .argument = "FORMAT", .help = "table (default) or json" },
        { .name = "sessions", .offset = offsetof(PsOptions, sessions), .type = OPTION_FLAG,
          .help = "What exec --detach has started, and how it ended" },
        OPTION_OF_PS('o'), OPTION_OF_PS('e'), OPTION_OF_PS('a'), OPTION_OF_PS('A'), OPTION_OF_PS('u'), OPTION_OF_PS('L'),
        OPTION_END,
};

static bool contains(const pid_t *pids, size_t n, long pid) {
        for (size_t i = 0; i < n; i++)
                if (pids[i] == pid)
                        return true;
        return false;
}

/* The word number `column` of a line as a number, or -1. */
static long number_at(const char *line, unsigned column) {
        char *end;
        long value;

        for (; column > 0; column--) {
                line += strspn(line, " ");
                line += strcspn(line, " ");
        }
        line += strspn(line, " ");
        value = strtol(line, &end, 10);
        return end == line ? -1 : value;
}

/* Which column of the header is "PID"? -1: none. */
static int pid_column(const char *header) {
        for (int column = 0; *header; column++) {
                size_t n;

                header += strspn(header, " ");
                n = strcspn(header, " ");
                if (n == 3 && strncmp(header, "PID", 3) == 0)
                        return column;
                header += n;
        }
        return -1;
}

/* ps(1)'s own table, less the lines of other processes. */
static int print_filtered(char *table, const pid_t *pids, size_t n, Error *reterr) {
        char *save = NULL, *line = strtok_r(table, "\n", &save);
        int column = line ? pid_column(line) : -1;

        if (column < 0)
                return error_setf(reterr, EINVAL, "ps: these options print no PID column");
        puts(line);
        while ((line = strtok_r(NULL, "\n", &save)))
                if (contains(pids, n, number_at(line, (unsigned) column)))
                        puts(line);
        return 0;
}

/* What it prints. */
static int run_ps(char **argv, char **ret, Error *reterr) {
        _cleanup_close_ int output = memfd_create("ocirt-sd-ps", MFD_CLOEXEC);
        int r;

        if (output < 0)
                return error_errnof(reterr, errno, "cannot run ps");
        r = program_run(&(Program){ .path = "ps",
                                    .in_path = true,
                                    .args = (const char *const *) argv,
                                    .environment = (const char *const *) environ,
                                    .input = STDIN_FILENO,
                                    .out = output,
                                    .err = -EBADF }, reterr);
        if (r < 0)
                return error_prefixf(reterr, "ps");
        (void) lseek(output, 0, SEEK_SET);
        r = read_file_fd(output, OUTPUT_MAX_BYTES, ret, NULL);
        return r < 0 ? error_errnof(reterr, r, "cannot read what ps prints") : 0;
}

static int print_table(char **ps_options, const pid_t *pids, size_t n, Error *reterr) {
        char *fallback[] = { (char *) "ps", (char *) "-ef", NULL }, **argv = fallback;
        _cleanup_(arena_done) Arena a = {};
        _cleanup_free_ char *table = NULL;
        size_t words = 0;
        int r;

        while (ps_options[words])
                words++;
        if (words > 0) {
                argv = arena_calloc(&a, words + 2, sizeof(char *));
                argv[0] = (char *) "ps";
                memcpy(argv + 1, ps_options, words * sizeof(char *));
        }
        r = run_ps(argv, &table, reterr);
        return r < 0 ? r : print_filtered(table, pids, n, reterr);
}

static void print_json(const pid_t *pids, size_t n) {
        putchar('[');
        for (size_t i = 0; i < n; i++)
                printf("%s%d", i ? "," : "", pids[i]);
        puts("]");
}

static int ps(const Runtime *rt, void *target, char **words, Error *reterr) {
        const PsOptions *o = target;
        _cleanup_free_ pid_t *pids = NULL;
        size_t n = 0;
        int r;

        if (o->format && !streq(o->format, "table") && !streq(o->format, "json"))
                return error_setf(reterr, EINVAL, "--format: expected table or json, got \"%s\"", o->format);
        if (o->sessions)
                return ps_sessions(rt, words[0], streq_null(o->format, "json"), reterr);
        r = runtime_processes(rt, words[0], &pids, &n, reterr);
        if (r < 0)
                return r;
        if (!streq_null(o->format, "json"))
                return print_table(words + 1, pids, n, reterr);
        print_json(pids, n);
        return 0;
}

const Verb verb_ps = {
        .name = "ps", .arguments = "ID [PS-OPTION...]", .summary = "List the processes of a container",
        .example = "ps web -o pid,args",
        .options = options, .options_size = sizeof(PsOptions), .order = OPTIONS_FIRST,
        .min_words = 1, .max_words = UINT32_MAX, .run = ps,
};
