/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

#include "basic/alloc.h"
#include "basic/error.h"

/* Command-line options by table: parsing, help and suggestions come from the same rows. */

typedef enum OptionType {
        OPTION_FLAG,    /* bool: --name, --name=true, --name=false */
        OPTION_STRING,  /* const char *: the last one counts */
        OPTION_LIST,    /* const char **, NULL-terminated: each adds one */
        OPTION_U32,     /* uint32_t */
        OPTION_TIME,    /* uint64_t, µs, not 0; UINT64_MAX: infinity */
} OptionType;

typedef struct Option {
        const char *name;      /* without dashes; NULL ends the table */
        char letter;           /* or 0 */
        OptionType type;
        size_t offset;         /* of its variable in the target */
        const char *argument;  /* "FILE", for help; NULL for flags */
        const char *help;      /* one line; NULL: accepted, but not shown */
        const char *elsewhere; /* it is an option of others': an error, which says this */
} Option;

#define OPTION_END { .name = NULL }
#define OPTION_ELSEWHERE(name_, letter_, advice) { .name = name_, .letter = letter_, .elsewhere = advice }

typedef enum OptionOrder {
        OPTIONS_FIRST,  /* the first word that is no option ends them: what follows belongs to somebody else */
        OPTIONS_ANYWHERE,
} OptionOrder;

/* What is said of an option, by its name, that belongs elsewhere on the command line; or NULL. */
typedef const char *(*OptionAdvice)(const char *name);

/* Is there such an option for people to see, by its name or letter? */
bool options_have(const Option *table, const char *name);

/*
 * Takes --name VALUE, --name=VALUE, -n VALUE, -nVALUE and single-dash long names (-no-subreaper), up to "--".
 * *words (NULL-terminated, from a) are the rest. Returns 1 as soon as it meets --help or -h. The error names the
 * nearest option, or says what advice has to say.
 */
int options_parse(const Option *table, void *target, OptionOrder order, OptionAdvice advice, char **argv, Arena *a,
                  char ***ret_words, Error *reterr);

/* The rows as help, in at most 80 columns. */
void options_print(const Option *table);
