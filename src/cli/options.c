/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/options.h"

#include <errno.h>
#include <stdio.h>

#include "basic/nearest.h"
#include "basic/quantity.h"
#include "basic/str.h"

#define OPTIONS_MAX 64U

/* o: its row, if others have it. */
static int unknown(const Option *table, const Option *o, OptionAdvice advice, const char *word, Error *reterr) {
        const char *names[OPTIONS_MAX], *suggestion, *said, *name = word + strspn(word, "-");
        _cleanup_free_ char *bare = NULL;
        size_t n = 0;

        if (o)
                return error_setf(reterr, EINVAL, "unknown option \"%s\": %s", word, o->elsewhere);
        bare = strndup(name, strcspn(name, "="));
        if (!bare)
                oom();
        said = advice(bare);
        if (said)
                return error_setf(reterr, EINVAL, "unknown option \"%s\": %s", word, said);
        for (const Option *known = table; known->name && n < OPTIONS_MAX; known++)
                if (known->help)
                        names[n++] = known->name;
        /* cppcheck-suppress uninitvar; n of them are set */
        suggestion = nearest(bare, names, n); /* NOLINT(clang-analyzer-unix.Malloc): bare has a cleanup */
        return suggestion ? error_setf(reterr, EINVAL, "unknown option \"%s\", did you mean --%s?", word, suggestion)
                          : error_setf(reterr, EINVAL, "unknown option \"%s\"", word);
}

static int set_flag(const Option *o, const char *value, bool *target, Error *reterr) {
        if (!value || streq(value, "true"))
                *target = true;
        else if (streq(value, "false"))
                *target = false;
        else
                return error_setf(reterr, EINVAL, "--%s: expected true or false, got \"%s\"", o->name, value);
        return 0;
}

static void add_to_list(const char ***list, const char *value, Arena *a) {
        size_t n = 0;
        const char **grown;

        while (*list && (*list)[n])
                n++;
        grown = arena_calloc(a, n + 2, sizeof(char *));
        if (n > 0)
                memcpy(grown, *list, n * sizeof(char *));
        grown[n] = value;
        *list = grown;
}

static int set(const Option *o, const char *value, void *target, Arena *a, Error *reterr) {
        void *variable = (char *) target + o->offset;
        uint64_t time;

        switch (o->type) {
        case OPTION_FLAG:
                return set_flag(o, value, variable, reterr);
        case OPTION_STRING:
                *(const char **) variable = value;
                return 0;
        case OPTION_LIST:
                add_to_list(variable, value, a);
                return 0;
        case OPTION_U32:
                if (parse_u32(value, variable) < 0)
                        return error_setf(reterr, EINVAL, "--%s: expected a number, got \"%s\"", o->name, value);
                return 0;
        case OPTION_TIME:
                if (parse_timespan(value, &time) < 0)
                        return error_setf(reterr, EINVAL, "--%s: expected seconds or a time such as 1min, got \"%s\"",
                                          o->name, value);
                *(uint64_t *) variable = MAX(time, UINT64_C(1));
                return 0;
        }
        return -EINVAL;
}

static const Option *find_long(const Option *table, const char *name, size_t n) {
        for (const Option *o = table; o->name; o++)
                if (strlen(o->name) == n && strncmp(o->name, name, n) == 0)
                        return o;
        return NULL;
}

static const Option *find_short(const Option *table, char letter) {
        for (const Option *o = table; o->name; o++)
                if (o->letter && o->letter == letter)
                        return o;
        return NULL;
}

bool options_have(const Option *table, const char *name) {
        const Option *o = name[0] && !name[1] ? find_short(table, name[0]) : find_long(table, name, strlen(name));

        return o && o->help;
}

/* Takes the option at **argv and its value; leaves *argv at the last word taken. */
static int parse_long(const Option *table, void *target, OptionAdvice advice, char ***argv, const char *name, Arena *a,
                      Error *reterr) {
        size_t n = strcspn(name, "=");
        const Option *o = find_long(table, name, n);
        const char *value = name[n] == '=' ? name + n + 1 : NULL;

        if (!o || o->elsewhere)
                return unknown(table, o, advice, **argv, reterr);
        if (o->type != OPTION_FLAG && !value) {
                value = (*argv)[1];
                if (!value)
                        return error_setf(reterr, EINVAL, "option --%s requires an argument", o->name);
                (*argv)++;
        }
        return set(o, value, target, a, reterr);
}

static int parse_short(const Option *table, void *target, OptionAdvice advice, char ***argv, Arena *a, Error *reterr) {
        for (const char *p = **argv + 1; *p; p++) {
                const Option *o = find_short(table, *p);
                const char *value = p[1] ? p + 1 + (p[1] == '=') : NULL;
                int r;

                if (!o || o->elsewhere)
                        return unknown(table, o, advice, **argv, reterr);
                if (o->type == OPTION_FLAG) {
                        r = set(o, NULL, target, a, reterr);
                        if (r < 0)
                                return r;
                        continue;
                }
                if (!value && !(value = *++*argv))
                        return error_setf(reterr, EINVAL, "option -%c requires an argument", o->letter);
                return set(o, value, target, a, reterr);
        }
        return 0;
}

int options_parse(const Option *table, void *target, OptionOrder order, OptionAdvice advice, char **argv, Arena *a,
                  char ***ret_words, Error *reterr) {
        char **words;
        size_t n = 0;

        while (argv[n])
                n++;
        words = arena_calloc(a, n + 1, sizeof(char *));
        n = 0;
        for (; *argv; argv++) {
                const char *word = *argv;
                int r;

                if (streq(word, "--")) {
                        argv++;
                        break;
                }
                if (word[0] != '-' || word[1] == '\0') {
                        if (order == OPTIONS_FIRST)
                                break;
                        words[n++] = *argv;
                        continue;
                }
                if (streq(word, "--help") || streq(word, "-h"))
                        return 1;
                if (word[1] == '-')
                        r = parse_long(table, target, advice, &argv, word + 2, a, reterr);
                else if (find_long(table, word + 1, strcspn(word + 1, "=")))
                        r = parse_long(table, target, advice, &argv, word + 1, a, reterr);
                else
                        r = parse_short(table, target, advice, &argv, a, reterr);
                if (r < 0)
                        return r;
        }
        while (*argv)
                words[n++] = *argv++;
        *ret_words = words;
        return 0;
}

void options_print(const Option *table) {
        for (const Option *o = table; o->name; o++) {
                char left[40], letter[8] = "    ";

                if (!o->help)
                        continue;
                if (o->letter)
                        snprintf(letter, sizeof(letter), "-%c, ", o->letter);
                snprintf(left, sizeof(left), "%s--%s%s%s", letter, o->name, o->argument ? " " : "",
                         o->argument ?: "");
                printf(strlen(left) > 28 ? "  %s\n  %-28s  %s\n" : "  %-28s%s  %s\n", left, "", o->help);
        }
}
