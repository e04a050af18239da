/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>

#include "basic/str.h"
#include "cli/verb.h"

typedef struct PsOptions {
        const char *format;
} PsOptions;

static const Option options[] = {
        { .name = "format", .letter = 'f', .offset = offsetof(PsOptions, format), .type = OPTION_STRING,
          .argument = "FORMAT", .help = "table (default) or json" },
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
                n = strcspn(header, " \n");
                if (n == 3 && strncmp(header, "PID", 3) == 0)
                        return column;
                header += n;
                header += strspn(header, "\n");
        }
        return -1;
}

/* ps(1)'s own table, less the lines of other processes. */
static int filter(FILE *f, const pid_t *pids, size_t n, Error *reterr) {
        _cleanup_free_ char *line = NULL;
        size_t room = 0;
        int column;

        if (getline(&line, &room, f) < 0)
                return error_setf(reterr, EIO, "ps printed nothing"); /* NOLINT(clang-analyzer-unix.Malloc): cleanup */
        column = pid_column(line);
        if (column < 0)
                return error_setf(reterr, EINVAL, "ps: these options print no PID column");
        fputs(line, stdout);
        while (getline(&line, &room, f) > 0)
                if (contains(pids, n, number_at(line, (unsigned) column)))
                        fputs(line, stdout);
        return 0; /* NOLINT(clang-analyzer-unix.Malloc): line has a cleanup */
}

static int print_table(char **ps_options, const pid_t *pids, size_t n, Error *reterr) {
        char *fallback[] = { (char *) "ps", (char *) "-ef", NULL }, **argv = fallback;
        _cleanup_(arena_done) Arena a = {};
        int pipe_fds[2], status, r;
        size_t words = 0;
        pid_t pid;
        FILE *f;

        while (ps_options[words])
                words++;
        if (words > 0) {
                argv = arena_calloc(&a, words + 2, sizeof(char *));
                argv[0] = (char *) "ps";
                memcpy(argv + 1, ps_options, words * sizeof(char *));
        }
        if (pipe2(pipe_fds, O_CLOEXEC) < 0 || (pid = fork()) < 0)
                return error_errnof(reterr, errno, "cannot run ps");
        if (pid == 0) {
                (void) dup2(pipe_fds[1], STDOUT_FILENO);
                execvp("ps", argv);
                _exit(127);
        }
        close(pipe_fds[1]);
        f = fdopen(pipe_fds[0], "r");
        if (!f)
                oom();
        r = filter(f, pids, n, reterr);
        fclose(f);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        return r;
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
        .options = options, .options_size = sizeof(PsOptions), .order = OPTIONS_FIRST,
        .min_words = 1, .max_words = UINT32_MAX, .run = ps,
};
