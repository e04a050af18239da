/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/list.h"
#include "cli/state-object.h"
#include "cli/verb.h"

typedef struct ListOptions {
        const char *format;
        bool quiet;
} ListOptions;

static const Option options[] = {
        { .name = "format", .letter = 'f', .offset = offsetof(ListOptions, format), .type = OPTION_STRING,
          .argument = "FORMAT", .help = "table (default) or json" },
        { .name = "quiet", .letter = 'q', .offset = offsetof(ListOptions, quiet), .type = OPTION_FLAG,
          .help = "Only ids, one a line" },
        OPTION_ELSEWHERE("all", 'a', "all containers are listed"),
        OPTION_ELSEWHERE("output", 'o', "that is --format here"),
        OPTION_END,
};

static const char *cell(json_object *row, int column) {
        return json_object_get_string(json_object_object_get(row, list_keys[column]));
}

/* A bundle is of anybody's making: what its path says must not look like a row, or talk to a terminal. */
static void print_cell(const char *text) {
        for (; *text; text++)
                putchar((unsigned char) *text < ' ' || *text == 0x7f ? '?' : *text);
}

static void print_row(json_object *row, const int *width) {
        for (int c = 0; c < LIST_COLUMNS; c++) {
                const char *text = row ? cell(row, c) : list_titles[c];

                print_cell(text);
                printf("%*s", c == LIST_OWNER ? 0 : width[c] - (int) strlen(text), "");
        }
        putchar('\n');
}

/* Columns as wide as what is in them, 12 at least and 3 apart, as runc's. */
static void print_table(json_object *rows) {
        size_t n = json_object_array_length(rows);
        int width[LIST_COLUMNS];

        for (int c = 0; c < LIST_COLUMNS; c++) {
                width[c] = 9;
                for (size_t i = 0; i < n; i++)
                        width[c] = MAX(width[c], (int) strlen(cell(json_object_array_get_idx(rows, i), c)));
                width[c] += 3;
        }
        print_row(NULL, width);
        for (size_t i = 0; i < n; i++)
                print_row(json_object_array_get_idx(rows, i), width);
}

static json_object *read_rows(const Store *store, char **ids) {
        json_object *rows = json_object_new_array();

        for (; *ids; ids++) {
                _cleanup_container_ Container c = { .dir = -EBADF };

                /* One that was deleted since, or whose record cannot be read, must not hide the others. */
                if (container_open(store, *ids, LOCK_NONE, &c, NULL) == 0)
                        json_object_array_add(rows, state_object(&c));
        }
        return rows;
}

static int list(const Runtime *rt, void *target, char **words, Error *reterr) {
        _cleanup_store_ Store store = { .fd = -EBADF };
        _cleanup_(arena_done) Arena a = {};
        const ListOptions *o = target;
        json_object *rows;
        char **ids = NULL;
        int r;

        if (o->format && !streq(o->format, "table") && !streq(o->format, "json"))
                return error_setf(reterr, EINVAL, "--format: expected table or json, got \"%s\"", o->format);
        r = store_open(rt->root, &rt->caller, false, &store, reterr);
        if (r < 0)
                return r;
        r = store_list(&store, &a, &ids, reterr);
        if (r < 0)
                return r;
        if (o->quiet) {
                for (; *ids; ids++)
                        puts(*ids);
                return 0;
        }
        rows = read_rows(&store, ids);
        if (streq_null(o->format, "json"))
                print_object(rows, false);
        else if (!o->format && isatty(STDOUT_FILENO))
                print_for_people(rows);
        else
                print_table(rows);
        json_object_put(rows);
        return 0;
}

const Verb verb_list = {
        .name = "list", .arguments = "", .summary = "List containers",
        .example = "list --format json",
        .options = options, .options_size = sizeof(ListOptions), .order = OPTIONS_ANYWHERE,
        .max_words = 0, .run = list,
};
