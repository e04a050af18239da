/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "oci/json-text.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "oci/json.h"

#define UNEXPECTED "not valid JSON: unexpected character"
#define UNEXPECTED_END "not valid JSON: unexpected end"
#define MALFORMED_ESCAPE "not valid JSON: malformed escape in a string"
#define NUL_CHARACTER "a string must not contain a NUL character"

typedef struct Scan {
        const char *begin, *end;
        const char *problem, *at;       /* what is wrong, and where */
} Scan;

static const char *fail(Scan *s, const char *at, const char *problem) {
        s->problem = problem;
        s->at = at;
        return NULL;
}

/* The length of an escape, the whole rest when it is cut off; 0 when it is none. */
static size_t escape_length(Scan *s, const char *p) {
        const size_t left = (size_t) (s->end - p), wanted = left >= 2 && p[1] == 'u' ? 6 : 2;

        if (left >= 2 && (p[1] == '\0' || !strchr("\"\\/bfnrtu", p[1]))) {
                (void) fail(s, p + 1, MALFORMED_ESCAPE);
                return 0;
        }
        for (size_t i = 2; i < MIN(wanted, left); i++)
                if (!isxdigit((unsigned char) p[i])) {
                        (void) fail(s, p + i, MALFORMED_ESCAPE);
                        return 0;
                }
        if (left >= 6 && memcmp(p, "\\u0000", 6) == 0) {
                (void) fail(s, p, NUL_CHARACTER);
                return 0;
        }
        return MIN(wanted, left);
}

static const char *skip_string(Scan *s, const char *p) {
        for (p++; p < s->end && *p != '"';) {
                unsigned char c = (unsigned char) *p;
                size_t n = 1;

                if (c == '\\') {
                        n = escape_length(s, p);
                        if (n == 0)
                                return NULL;
                } else if (c < 0x20)
                        return fail(s, p, c == 0 ? NUL_CHARACTER : "a control character in a string must be escaped");
                else if (c >= 0x80 && (n = utf8_length(p, s->end)) == 0)
                        return fail(s, p, "invalid UTF-8");
                p += MIN(n, (size_t) (s->end - p));
        }
        return p < s->end ? p + 1 : fail(s, p, UNEXPECTED_END);
}

static bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

static const char *skip_digits(Scan *s, const char *p) {
        const char *begin = p;

        while (p < s->end && is_digit(*p))
                p++;
        return p > begin ? p : fail(s, begin, "malformed number");
}

static const char *skip_number(Scan *s, const char *p) {
        const char *begin = p, *digits = p + (*p == '-');
        bool overflow = false;
        uint64_t v = 0;

        for (p = digits; p < s->end && is_digit(*p); p++)
                overflow |= __builtin_mul_overflow(v, 10U, &v) ||
                            __builtin_add_overflow(v, (uint64_t) (*p - '0'), &v);
        if (p == digits || (p - digits > 1 && *digits == '0'))
                return fail(s, begin, "malformed number");
        if (p < s->end && (*p == '.' || *p == 'e' || *p == 'E')) {
                if (*p == '.' && !(p = skip_digits(s, p + 1)))
                        return NULL;
                if (p < s->end && (*p == 'e' || *p == 'E')) {
                        p++;
                        p += p < s->end && (*p == '+' || *p == '-');
                        return skip_digits(s, p);
                }
                return p;
        }
        if (overflow || (*begin == '-' && v > (uint64_t) INT64_MAX + 1))
                return fail(s, begin, "a number is out of range (-9223372036854775808 to 18446744073709551615)");
        return p;
}

/* The end of the token (or white space) at p, or NULL. */
static const char *skip_token(Scan *s, const char *p) {
        switch (*p) {
        case ' ':
        case '\t':
        case '\n':
        case '\r':
        case '{':
        case '}':
        case '[':
        case ']':
        case ':':
        case ',':
                return p + 1;
        case '"':
                return skip_string(s, p);
        case '-':
        case '0' ... '9':
                return skip_number(s, p);
        case 'a' ... 'z':
                while (p < s->end && *p >= 'a' && *p <= 'z')
                        p++;
                return p;
        case '\0':
                return fail(s, p, "a NUL character");
        case '\'':
                return fail(s, p, "strings are written with double quotes");
        case '/':
        case '#':
                return fail(s, p, "there are no comments in JSON");
        default:
                return fail(s, p, UNEXPECTED);
        }
}

/* What may come next. */
typedef enum Next { NEXT_VALUE, NEXT_VALUE_OR_END, NEXT_NAME, NEXT_NAME_OR_END, NEXT_COLON, NEXT_COMMA_OR_END } Next;

typedef struct Grammar {
        Next next;
        bool object[JSON_DEPTH_MAX];    /* or array, of those that are open */
        size_t depth;
} Grammar;

static bool in_object(const Grammar *g) {
        return g->depth > 0 && g->object[g->depth - 1];
}

static const char *expected(const Grammar *g) {
        switch (g->next) {
        case NEXT_NAME:
        case NEXT_NAME_OR_END:
                return "not valid JSON: expected a name in double quotes";
        case NEXT_COLON:
                return "not valid JSON: expected ':'";
        case NEXT_COMMA_OR_END:
                return g->depth == 0 ? UNEXPECTED :
                       in_object(g) ? "not valid JSON: expected ',' or '}'" : "not valid JSON: expected ',' or ']'";
        default:
                return UNEXPECTED;
        }
}

static bool take(Grammar *g, bool possible, Next next) {
        if (possible)
                g->next = next;
        return possible;
}

static bool take_end(Grammar *g, bool object, Next empty) {
        if (g->depth == 0 || in_object(g) != object || !take(g, g->next == empty || g->next == NEXT_COMMA_OR_END,
                                                             NEXT_COMMA_OR_END))
                return false;
        g->depth--;
        return true;
}

static bool is_word(const char *p, size_t n, const char *word) {
        return n == strlen(word) && memcmp(p, word, n) == 0;
}

/* NULL, or what is wrong with this token at this place. */
static const char *take_token(Grammar *g, const char *p, size_t n) {
        bool value = g->next == NEXT_VALUE || g->next == NEXT_VALUE_OR_END, ok = true;

        switch (*p) {
        case ' ':
        case '\t':
        case '\n':
        case '\r':
                break;
        case '{':
        case '[':
                if (value && g->depth == JSON_DEPTH_MAX)
                        return "nested too deeply";
                ok = take(g, value, *p == '{' ? NEXT_NAME_OR_END : NEXT_VALUE_OR_END);
                if (ok)
                        g->object[g->depth++] = *p == '{';
                break;
        case '}':
                ok = take_end(g, true, NEXT_NAME_OR_END);
                break;
        case ']':
                ok = take_end(g, false, NEXT_VALUE_OR_END);
                break;
        case ':':
                ok = take(g, g->next == NEXT_COLON, NEXT_VALUE);
                break;
        case ',':
                ok = take(g, g->next == NEXT_COMMA_OR_END && g->depth > 0, in_object(g) ? NEXT_NAME : NEXT_VALUE);
                break;
        case '"':
                ok = take(g, g->next == NEXT_NAME || g->next == NEXT_NAME_OR_END, NEXT_COLON) ||
                     take(g, value, NEXT_COMMA_OR_END);
                break;
        case 'a' ... 'z':
                value = value && (is_word(p, n, "true") || is_word(p, n, "false") || is_word(p, n, "null"));
                ok = take(g, value, NEXT_COMMA_OR_END);
                break;
        default: /* a number */
                ok = take(g, value, NEXT_COMMA_OR_END);
                break;
        }
        return ok ? NULL : expected(g);
}

/* A second, slower way through the text, to say where something is. */
typedef struct Level {
        size_t id, index;
        const char *name;
        size_t name_size;
        bool object;
} Level;

typedef struct Walk {
        Scan scan;
        const char *p, *next;           /* the token */
        Level levels[JSON_DEPTH_MAX];
        size_t n, ids;
        const char *string;
        size_t string_size;
} Walk;

static bool walk_token(Walk *w, const char *until) {
        Level *top = w->n > 0 ? &w->levels[w->n - 1] : NULL;

        w->p = w->next;
        if (w->p >= until || !(w->next = skip_token(&w->scan, w->p)))
                return false;
        if (*w->p == '"') {
                w->string = w->p + 1;
                w->string_size = (size_t) (w->next - w->p) - 1 - (w->next[-1] == '"');
        } else if (*w->p == '{' || *w->p == '[') {
                if (w->n == JSON_DEPTH_MAX)
                        return false;
                w->levels[w->n++] = (Level){ .object = *w->p == '{', .id = w->ids++ };
        } else if (*w->p == '}' || *w->p == ']')
                w->n -= w->n > 0;
        else if (*w->p == ',' && top) {
                top->index++;
                top->name = NULL;
        } else if (*w->p == ':' && top && w->string) {
                top->name = w->string;
                top->name_size = w->string_size;
        }
        return true;
}

void json_path_add(Text *path, const char *name) {
        if (name[0] != '\0' &&
            strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == strlen(name)) {
                text_add(path, path->n > 0 ? "." : "");
                text_add(path, name);
                return;
        }
        text_add(path, "[\"");
        text_add_escaped(path, name, "\"");
        text_add(path, "\"]");
}

static void locate(const char *bytes, size_t size, const char *at, Text *path) {
        Walk w = { .scan = { .begin = bytes, .end = bytes + size }, .next = bytes };

        while (walk_token(&w, at))
                ;
        for (size_t i = 0; i < w.n; i++) {
                const Level *l = &w.levels[i];

                if (!l->object)
                        text_addf(path, "[%zu]", l->index);
                else if (l->name) {
                        _cleanup_text_ Text name = {};

                        text_addn(&name, l->name, l->name_size);
                        json_path_add(path, name.s);
                }
        }
}

static int text_error(const char *bytes, size_t size, size_t offset, const char *problem, Error *reterr) {
        _cleanup_text_ Text path = {};
        size_t line = 1, column = 1;

        locate(bytes, size, bytes + offset, &path);
        for (size_t i = 0; i < MIN(offset, size); i++, column++)
                if (bytes[i] == '\n') {
                        line++;
                        column = 0;
                }
        return error_setf(reterr, EINVAL, "%s%s%s (line %zu, column %zu)", path.n > 0 ? path.s : "",
                          path.n > 0 ? ": " : "", problem, line, column);
}

int json_text_check(const char *bytes, size_t size, size_t *ret_names, Error *reterr) {
        Scan s = { .begin = bytes, .end = bytes + size };
        const char *p = bytes, *next;
        Grammar g = {};
        size_t names = 0;

        for (; p < s.end && !s.problem; p = next) {
                next = skip_token(&s, p);
                if (!next)
                        break;
                names += *p == ':';
                s.problem = take_token(&g, p, (size_t) (next - p));
                s.at = p;
        }
        if (!s.problem && (g.depth > 0 || g.next != NEXT_COMMA_OR_END))
                (void) fail(&s, s.end, UNEXPECTED_END);
        if (s.problem)
                return text_error(bytes, size, (size_t) (s.at - bytes), s.problem, reterr);
        *ret_names = names;
        return 0;
}

typedef struct Member {
        size_t object, size;
        const char *name;
} Member;

static int name_compare(const void *a, const void *b) {
        const Member *x = a, *y = b;
        int r;

        if (x->object != y->object)
                return x->object < y->object ? -1 : 1;
        r = memcmp(x->name, y->name, MIN(x->size, y->size));
        if (r != 0)
                return r;
        if (x->size != y->size)
                return x->size < y->size ? -1 : 1;
        return 0;
}

int json_text_duplicate(const char *bytes, size_t size, Error *reterr) {
        Walk w = { .scan = { .begin = bytes, .end = bytes + size }, .next = bytes };
        _cleanup_free_ Member *names = NULL;
        const char *at = NULL;
        size_t n = 0;

        while (walk_token(&w, bytes + size)) {
                if (*w.p != ':' || w.n == 0)
                        continue;
                GREW(names, n);
                names[n++] = (Member){ w.levels[w.n - 1].id, w.string_size, w.string };
        }
        if (n > 0)
                qsort(names, n, sizeof(*names), name_compare);
        for (size_t i = 1; i < n && !at; i++)
                if (name_compare(&names[i - 1], &names[i]) == 0)
                        at = MAX(names[i - 1].name, names[i].name);
        if (!at) /* one of the two is written with an escape */
                return error_setf(reterr, EINVAL, "a property is given twice");
        /* Behind the colon, so that the path includes the name. */
        for (w = (Walk){ .scan = w.scan, .next = bytes }; walk_token(&w, bytes + size);)
                if (*w.p == ':' && w.string == at)
                        break;
        return text_error(bytes, size, (size_t) (w.next - bytes), "given twice", reterr);
}
