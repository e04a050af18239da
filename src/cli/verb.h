/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/options.h"
#include "runtime/runtime.h"

/* The command line: one file a verb, holding its options, its help and its output, and no logic. */
typedef struct Verb {
        const char *name;
        const char *arguments;   /* "ID [SIGNAL]", for help */
        const char *summary;     /* one line */
        const char *example;     /* one line, without the name of the program; or NULL */
        const Option *options;   /* NULL: none */
        size_t options_size;     /* of the struct that they fill */
        OptionOrder order;
        unsigned min_words, max_words;
        const char *surplus;     /* what to say of more words than that; NULL: nothing more */
        bool stateless;          /* has nothing to do with containers that there are */
        int failure_status;      /* exit status on error; 0 stands for 1 */
        /* words: what is left besides options. Returns the exit status, or -errno. */
        int (*run)(const Runtime *rt, void *options, char **words, Error *reterr);
} Verb;

#define GROUP(title)
#define VERB(name) extern const Verb verb_##name;
#include "cli/verbs.def"
