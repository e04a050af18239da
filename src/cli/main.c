/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/log.h"
#include "basic/nearest.h"
#include "basic/str.h"
#include "cli/caller.h"
#include "cli/habits.h"
#include "cli/verb.h"
#include "version.h"

/* The title of a group, or a verb of it. */
static const struct Entry {
        const char *title;
        const Verb *verb;
} entries[] = {
#define GROUP(title_) { .title = title_ },
#define VERB(name) { .verb = &verb_##name },
#include "cli/verbs.def"
};

typedef struct Globals {
        const char *root, *log, *log_format, *log_level, *cgroup_manager, *rootless;
        bool debug, systemd_cgroup, version;
} Globals;

#define GLOBAL(field) .offset = offsetof(Globals, field)
static const Option global_options[] = {
        { .name = "root", GLOBAL(root), .type = OPTION_STRING, .argument = "DIR", .help = "State directory (default: /run/ocirt-sd)" },
        { .name = "log", GLOBAL(log), .type = OPTION_STRING, .argument = "LOG", .help = "FILE, journald:ID or syslog:ID" },
        { .name = "log-format", GLOBAL(log_format), .type = OPTION_STRING, .argument = "FORMAT", .help = "text (default) or json, in the file" },
        { .name = "log-level", GLOBAL(log_level), .type = OPTION_STRING, .argument = "LEVEL", .help = "error, warning (default), info or debug" },
        { .name = "debug", GLOBAL(debug), .type = OPTION_FLAG, .help = "Same as --log-level=debug" },
        { .name = "systemd-cgroup", GLOBAL(systemd_cgroup), .type = OPTION_FLAG, .help = "Always a scope, as with runc" },
        { .name = "cgroup-manager", GLOBAL(cgroup_manager), .type = OPTION_STRING, .argument = "MANAGER", .help = "systemd (default) or disabled (no scope)" },
        { .name = "rootless", GLOBAL(rootless), .type = OPTION_STRING, .argument = "WHEN", .help = "auto (default), true or false" },
        { .name = "version", .letter = 'v', GLOBAL(version), .type = OPTION_FLAG, .help = "Print the version and exit" },
        { .name = "version", .letter = 'V', GLOBAL(version), .type = OPTION_FLAG },
        OPTION_END,
};

static void print_help(void) {
        printf("ocirt-sd [OPTION...] VERB [ARGUMENT...]\n\n"
               "Run OCI containers as units of systemd.\n");
        for (const struct Entry *e = entries; e < entries + ELEMENTSOF(entries); e++)
                if (e->title)
                        printf("\n%s:\n", e->title);
                else
                        printf("  %-13s %s\n", e->verb->name, e->verb->summary);
        printf("\nOptions:\n");
        options_print(global_options);
        printf("  %-28s  %s\n", "-h, --help", "Print this, or a verb's help, and exit");
        printf("\nSee \"ocirt-sd VERB --help\" and ocirt-sd(1).\n");
}

static void print_verb_help(const Verb *v) {
        printf("ocirt-sd %s [OPTION...]%s%s\n\n%s\n", v->name, isempty(v->arguments) ? "" : " ", v->arguments, v->summary);
        printf("\nOptions:\n");
        if (v->options)
                options_print(v->options);
        printf("  %-28s  %s\n", "-h, --help", "Print this and exit");
        if (v->example)
                printf("\nExample:\n  ocirt-sd %s\n", v->example);
}

static void print_version(void) {
        printf("ocirt-sd version %s\ncommit: %s\nspec: %s\n", OCIRT_VERSION, OCIRT_COMMIT, OCIRT_SPEC_VERSION);
}

static int open_log(const Globals *g, LogSettings *log, Error *reterr) {
        if (g->log_format && !streq(g->log_format, "text") && !streq(g->log_format, "json"))
                return error_setf(reterr, EINVAL, "--log-format: expected text or json, got \"%s\"", g->log_format);
        log->json = streq_null(g->log_format, "json");
        if (!isempty(g->log) && log_open(log, g->log, reterr) < 0)
                return -EINVAL;
        if (g->log_level) {
                int level = log_level_from_string(g->log_level);

                if (level < 0)
                        return error_setf(reterr, EINVAL, "--log-level: expected error, warning, info or debug, got \"%s\"",
                                          g->log_level);
                log->level = (LogLevel) level;
        }
        if (g->debug)
                log->level = LOG_DEBUG;
        return 0;
}

static int make_runtime(const Globals *g, const Verb *v, Arena *a, Runtime *ret, Error *reterr) {
        _cleanup_free_ char *cwd = NULL;

        ret->caller = caller_find();
        runtime_probe(&ret->facts);
        if (g->cgroup_manager && !streq(g->cgroup_manager, "systemd") && !streq(g->cgroup_manager, "disabled"))
                return error_setf(reterr, EINVAL, "--cgroup-manager: expected systemd or disabled, got \"%s\"",
                                  g->cgroup_manager);
        ret->facts.cgroup_disabled = streq_null(g->cgroup_manager, "disabled");
        ret->facts.systemd_cgroup = g->systemd_cgroup;
        if (streq_null(g->rootless, "true"))
                ret->facts.rootless = true;
        else if (streq_null(g->rootless, "false"))
                ret->facts.rootless = false;
        else if (g->rootless && !streq(g->rootless, "auto"))
                return error_setf(reterr, EINVAL, "--rootless: expected auto, true or false, got \"%s\"", g->rootless);
        ret->root = g->root;
        if (isempty(g->root) && !v->stateless) {
                int r = runtime_default_root(&ret->caller, &ret->facts, a, &ret->root, reterr);

                if (r < 0)
                        return r;
        }
        if (ret->root && ret->root[0] != '/') {
                cwd = getcwd(NULL, 0);
                if (!cwd)
                        return error_errnof(reterr, errno, "cannot tell the working directory");
                ret->root = arena_printf(a, "%s/%s", cwd, ret->root);
        }
        return 0;
}

static const Verb *find_verb(const char *name, Error *reterr) {
        const char *names[ELEMENTSOF(entries)], *suggestion = habit_verb(name);
        size_t n = 0;

        for (const struct Entry *e = entries; e < entries + ELEMENTSOF(entries); e++)
                if (e->verb) {
                        if (streq(e->verb->name, name))
                                return e->verb;
                        names[n++] = e->verb->name;
                }
        if (!suggestion && habit_advice(name)) {
                error_setf(reterr, EINVAL, "unknown verb \"%s\": %s", name, habit_advice(name));
                return NULL;
        }
        if (!suggestion)
                suggestion = nearest(name, names, n); /* cppcheck-suppress uninitvar; n of them are set */
        if (suggestion)
                error_setf(reterr, EINVAL, "unknown verb \"%s\", did you mean %s?", name, suggestion);
        else
                error_setf(reterr, EINVAL, "unknown verb \"%s\" (see ocirt-sd --help)", name);
        return NULL;
}

static const char *advise_verb(const char *name) {
        return strlen(name) > 1 && options_have(global_options, name) ? "it comes before the verb" : NULL;
}

static const char *advise_global(const char *name) {
        for (const struct Entry *e = entries; e < entries + ELEMENTSOF(entries); e++)
                if (e->verb && e->verb->options && options_have(e->verb->options, name))
                        return "it comes after the verb";
        return NULL;
}

static bool is_help(char **words) {
        return words[0] && streq(words[0], "help") && !words[1];
}

static int check_words(const Verb *v, char **words, Error *reterr) {
        const char *expected = isempty(v->arguments) ? "no argument" : v->arguments;
        unsigned n = 0;

        while (words[n])
                n++;
        if (n < v->min_words)
                return error_setf(reterr, EINVAL, "%s: expected %s, as in \"ocirt-sd %s\"", v->name, expected, v->example);
        if (n > v->max_words)
                return error_setf(reterr, EINVAL, "%s: expected %s, but there is also \"%s\"%s%s", v->name, expected,
                                  words[v->max_words], v->surplus ? ": " : "", v->surplus ?: "");
        return 0;
}

static int run_verb(const Runtime *rt, const Verb *v, char **argv, Arena *a, Error *reterr) {
        static const Option none[] = { OPTION_END };
        void *options = arena_alloc(a, v->options_size + 1);
        char **words;
        int r;

        r = options_parse(v->options ?: none, options, v->order, advise_verb, argv, a, &words, reterr);
        if (r < 0)
                return error_prefixf(reterr, "%s", v->name);
        if (r > 0 || (v->max_words == 0 && is_help(words))) {
                print_verb_help(v);
                return 0;
        }
        r = check_words(v, words, reterr);
        if (r == 0) {
                rt->log->container = startswith(v->arguments, "ID") ? words[0] : NULL;
                log_debug("%s: version %s, root directory %s, %s", v->name, OCIRT_VERSION, rt->root ?: "none",
                          rt->facts.rootless ? "rootless" : "root");
                r = v->run(rt, options, words, reterr);
        }
        if (r < 0 && is_help(words)) /* a container may have that name, but this one has not */
                error_suffixf(reterr, " (see ocirt-sd %s --help)", v->name);
        return r;
}

/* "help", and "help VERB". */
static int help(const char *name, Error *reterr) {
        const Verb *verb = name ? find_verb(name, reterr) : NULL;

        if (name && !verb)
                return -EINVAL;
        if (verb)
                print_verb_help(verb);
        else
                print_help();
        return 0;
}

static int run(char **argv, LogSettings *log, Arena *a, int *failure_status, Error *reterr) {
        Runtime rt = { .log = log };
        Globals globals = {};
        const Verb *verb;
        char **words;
        int r;

        r = options_parse(global_options, &globals, OPTIONS_FIRST, advise_global, argv + 1, a, &words, reterr);
        if (r > 0) {
                print_help();
                return 0;
        }
        if (r == 0)
                r = open_log(&globals, log, reterr);
        if (r < 0)
                return r;
        if (globals.version) {
                print_version();
                return 0;
        }
        if (!words[0] || streq(words[0], "help"))
                return help(words[0] ? words[1] : NULL, reterr);
        verb = find_verb(words[0], reterr);
        if (!verb)
                return -EINVAL;
        *failure_status = verb->failure_status ?: 1;
        r = make_runtime(&globals, verb, a, &rt, reterr);
        return r < 0 ? r : run_verb(&rt, verb, words + 1, a, reterr);
}

/* What the caller closed: else a file that we open would take its number, and our messages would go there. */
static void fill_stdio(void) {
        for (int fd = 0; fd <= 2; fd++)
                if (fcntl(fd, F_GETFD) < 0)
                        (void) open("/dev/null", O_RDWR | O_CLOEXEC);
}

int main(int argc, char **argv) {
        _cleanup_(arena_done) Arena arena = {};
        _cleanup_error_ Error error = {};
        LogSettings log = log_to(LOG_WARNING, STDERR_FILENO);
        int failure_status = 1, r;

        log_use(&log);
        fill_stdio();
        (void) signal(SIGCHLD, SIG_DFL); /* who calls us may ignore it, and then no child can be waited for */
        r = run(argv, &log, &arena, &failure_status, &error);
        if (fflush(stdout) == EOF && r >= 0)
                r = error_setf(&error, EIO, "cannot write to standard output");
        if (r < 0) {
                log_message(LOG_ERROR, "%s", error.message ?: errno_text(r));
                return failure_status;
        }
        return r;
}
