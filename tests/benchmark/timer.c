/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Executes the commands that come on standard input, a line each, fields
 * separated by tabs, and says what they took:
 *
 *   time LABEL COMMAND...  run it; print LABEL, nanoseconds, microseconds of
 *                          CPU, largest resident set in KiB
 *   do COMMAND...          run it
 *   start N COMMAND...     run it when less than N such run, do not wait for it
 *   finish                 wait for all of those
 *   gone FILE              wait until the process whose pid is in FILE is gone
 *   pause MILLISECONDS
 *   mark LABEL             print LABEL and the time in nanoseconds
 *
 * Like an engine's monitor, it adopts what commands leave behind, and reaps it
 * at once. It ends at a command that fails.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FIELDS 64
#define JOBS 64

static FILE *out;
static pid_t jobs[JOBS];
static int n_jobs;

static uint64_t now(void) {
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t) ts.tv_sec * 1000000000u + (uint64_t) ts.tv_nsec;
}

static void sleep_us(long us) {
        nanosleep(&(struct timespec) { us / 1000000, us % 1000000 * 1000 }, NULL);
}

static void fail(const char *what, char **argv) {
        fprintf(stderr, "%s:", what);
        for (; argv && *argv; argv++)
                fprintf(stderr, " %s", *argv);
        fputc('\n', stderr);
        exit(1);
}

static pid_t launch(char **argv) {
        pid_t pid = vfork();

        if (pid < 0)
                fail("cannot fork", NULL);
        if (pid == 0) {
                execvp(argv[0], argv);
                _exit(127);
        }
        return pid;
}

/* One process that ended, ours or adopted. Returns its pid, 0 if none did. */
static pid_t reap(int options, int *status, struct rusage *usage) {
        pid_t pid = wait4(-1, status, options, usage);

        for (int i = 0; pid > 0 && i < n_jobs; i++)
                if (jobs[i] == pid) {
                        jobs[i] = jobs[--n_jobs];
                        if (*status)
                                fail("a started command failed", NULL);
                }
        return pid < 0 ? 0 : pid;
}

static void run(char **argv, const char *label) {
        struct rusage u;
        int status;
        uint64_t began = now(), ended;
        pid_t pid = launch(argv);

        while (reap(0, &status, &u) != pid)
                ;
        ended = now();
        if (status)
                fail("failed", argv);
        if (label)
                fprintf(out, "%s\t%llu\t%lld\t%ld\n", label, (unsigned long long) (ended - began),
                        (long long) (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 + u.ru_utime.tv_usec +
                        u.ru_stime.tv_usec, u.ru_maxrss);
}

static void wait_for_jobs(int at_most) {
        int status;

        while (n_jobs > at_most && reap(0, &status, NULL) > 0)
                ;
}

static void wait_until_gone(const char *path) {
        FILE *f = fopen(path, "re");
        int pid, status;

        if (!f || fscanf(f, "%d", &pid) != 1)
                fail("cannot read", (char *[]) { (char *) path, NULL });
        fclose(f);
        while (kill(pid, 0) == 0)
                if (reap(WNOHANG, &status, NULL) == 0)
                        sleep_us(100);
}

static void execute(char **field, int n) {
        if (n > 2 && strcmp(field[0], "time") == 0)
                run(field + 2, field[1]);
        else if (n > 1 && strcmp(field[0], "do") == 0)
                run(field + 1, NULL);
        else if (n > 2 && strcmp(field[0], "start") == 0) {
                int limit = atoi(field[1]);

                wait_for_jobs((limit < JOBS ? limit : JOBS) - 1);
                jobs[n_jobs++] = launch(field + 2);
        } else if (n == 1 && strcmp(field[0], "finish") == 0)
                wait_for_jobs(0);
        else if (n == 2 && strcmp(field[0], "gone") == 0)
                wait_until_gone(field[1]);
        else if (n == 2 && strcmp(field[0], "pause") == 0)
                sleep_us(atol(field[1]) * 1000);
        else if (n == 2 && strcmp(field[0], "mark") == 0) {
                fprintf(out, "%s\t%llu\n", field[1], (unsigned long long) now());
                fflush(out);
        } else
                fail("not understood", field);
}

int main(void) {
        FILE *in = fdopen(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 10), "r");
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        size_t size = 0;
        char *line = NULL;

        out = fdopen(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10), "w");
        if (!in || !out || null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
            prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
                fail("cannot begin", NULL);
        while (getline(&line, &size, in) > 0) {
                char *field[FIELDS + 1] = {}, *rest = NULL;
                int n = 0;

                line[strcspn(line, "\n")] = '\0';
                for (char *p = strtok_r(line, "\t", &rest); p && n < FIELDS; p = strtok_r(NULL, "\t", &rest))
                        field[n++] = p;
                execute(field, n);
        }
        return 0;
}
