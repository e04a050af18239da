/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/moment.h"
#include "cli/list.h"

#define GAP 2U
#define SCREEN_DEFAULT 80U

/* So much stays of them when the screen is too narrow. */
#define ID_LEAST 12U
#define BUNDLE_LEAST 2U

/* Characters, not bytes. */
static size_t width_of(const char *s) {
        size_t n = 0;

        for (; *s; s++)
                n += ((unsigned char) *s & 0xc0) != 0x80;
        return n;
}

static size_t screen_width(void) {
        struct winsize size;

        return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : SCREEN_DEFAULT;
}

static char *cell(json_object *row, int column) {
        const char *text = json_object_get_string(json_object_object_get(row, list_keys[column]));
        Text printable = {};

        if (column == LIST_PID && streq(text, "0"))
                return xstrdup("-");
        (column == LIST_CREATED ? text_add_age : text_add_printable)(&printable, text);
        return printable.s;
}

static const char *skip_characters(const char *s, size_t n) {
        while (*s && (n > 0 || ((unsigned char) *s & 0xc0) == 0x80))
                n -= ((unsigned char) *s++ & 0xc0) != 0x80;
        return s;
}

/* Of a path the end says most, of an id the beginning. */
static void print_cell(const char *text, int column, size_t width) {
        size_t n = width_of(text);

        if (n <= width)
                printf("%s%*s", text, column == LIST_OWNER ? 0 : (int) (width - n + GAP), "");
        else if (column == LIST_BUNDLE)
                printf("\xe2\x80\xa6%s%*s", skip_characters(text, n - width + 1), (int) GAP, "");
        else
                printf("%.*s\xe2\x80\xa6%*s", (int) (skip_characters(text, width - 1) - text), text, (int) GAP, "");
}

/* Of ids and paths the wider gives way. */
static void fit(size_t *width, size_t screen) {
        size_t all = (size_t) (LIST_COLUMNS - 1) * GAP, *id = &width[LIST_ID], *bundle = &width[LIST_BUNDLE];

        for (int c = 0; c < LIST_COLUMNS; c++)
                all += width[c];
        for (; all > screen && (*id > ID_LEAST || *bundle > BUNDLE_LEAST); all--) {
                if (*bundle <= BUNDLE_LEAST || (*id > ID_LEAST && *id > *bundle))
                        (*id)--;
                else
                        (*bundle)--;
        }
}

void print_for_people(json_object *rows) {
        size_t n = json_object_array_length(rows), width[LIST_COLUMNS];
        char *(*cells)[LIST_COLUMNS] = xmalloc0((n + 1) * sizeof(*cells));

        for (int c = 0; c < LIST_COLUMNS; c++) {
                width[c] = 0;
                for (size_t i = 0; i <= n; i++) {
                        cells[i][c] = i == 0 ? xstrdup(list_titles[c]) : cell(json_object_array_get_idx(rows, i - 1), c);
                        width[c] = MAX(width[c], width_of(cells[i][c]));
                }
        }
        fit(width, screen_width());
        for (size_t i = 0; i <= n; i++) {
                for (int c = 0; c < LIST_COLUMNS; c++) {
                        print_cell(cells[i][c], c, width[c]);
                        free(cells[i][c]);
                }
                putchar('\n');
        }
        free(cells);
}
