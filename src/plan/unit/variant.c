/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/unit/variant.h"

#include <ctype.h>
#include <errno.h>

#define ITEMS_MAX 64

static const char *skip_space(const char *s) {
        return s + strspn(s, " \t");
}

/* "'text'" or "\"text\"" with \\, \' and \" in it; other escapes have no business in unit properties. */
static int parse_string(const char **s, Arena *a, const char **ret) {
        _cleanup_text_ Text t = {};
        char quote = **s;
        const char *p;

        text_addn(&t, "", 0);
        for (p = *s + 1; *p != quote; p++) {
                if (*p == '\\' && p[1] != '\0' && strchr("\\'\"", p[1]))
                        p++;
                else if (*p == '\\' || iscntrl((unsigned char) *p))
                        return -EINVAL;
                text_addn(&t, p, 1);
        }
        *ret = arena_strdup(a, t.s);
        *s = p + 1;
        return 0;
}

static int parse_list(const char **s, Arena *a, Variant *v) {
        const char *p = skip_space(*s + 1);
        int r;

        v->items = arena_calloc(a, ITEMS_MAX, sizeof(char *));
        while (*p != ']') {
                if (v->n_items > 0) {
                        if (*p != ',')
                                return -EINVAL;
                        p = skip_space(p + 1);
                }
                if ((*p != '\'' && *p != '"') || v->n_items == ITEMS_MAX)
                        return -EINVAL;
                r = parse_string(&p, a, v->items + v->n_items);
                if (r < 0)
                        return r;
                v->n_items++;
                p = skip_space(p);
        }
        *s = p + 1;
        return 0;
}

/* Decimal, with sign, fraction and exponent. What has a fraction or an exponent is a double. */
static int parse_number(const char **s, Variant *v) {
        size_t n = strspn(*s, "+-.0123456789eE"), sign = **s == '-' || **s == '+' ? 1 : 0;
        char number[64], *end;

        if (n == 0 || n >= sizeof(number) || !isdigit((unsigned char) (*s)[sign]))
                return -EINVAL;
        memcpy(number, *s, n);
        number[n] = '\0';
        *s += n;
        v->negative = number[0] == '-';
        v->d = strtod(number, &end);
        if (*end != '\0')
                return -EINVAL;
        if (strpbrk(number, ".eE")) {
                v->type = 'd';
                return 0;
        }
        if (v->negative)
                return parse_i64(number, &v->i);
        if (parse_u64(number + sign, &v->u) < 0)
                return -EINVAL;
        v->i = v->u > INT64_MAX ? INT64_MAX : (int64_t) v->u;
        return 0;
}

/* A type annotation: "uint64 " or "@t ". Returns the type or '\0'; *s then is behind it. */
static char parse_type(const char **s) {
        static const struct {
                const char *word;
                char type;
        } types[] = {
                { "boolean ", 'b' }, { "byte ", 'y' },   { "int16 ", 'n' }, { "uint16 ", 'q' },
                { "int32 ", 'i' },   { "uint32 ", 'u' }, { "int64 ", 'x' }, { "uint64 ", 't' },
                { "double ", 'd' },  { "string ", 's' }, { "@as ", 'a' },   { "@b ", 'b' },
                { "@y ", 'y' },      { "@n ", 'n' },     { "@q ", 'q' },    { "@i ", 'i' },
                { "@u ", 'u' },      { "@x ", 'x' },     { "@t ", 't' },    { "@d ", 'd' },
                { "@s ", 's' },
        };

        for (size_t i = 0; i < ELEMENTSOF(types); i++) {
                const char *rest = startswith(*s, types[i].word);

                if (rest) {
                        *s = skip_space(rest);
                        return types[i].type;
                }
        }
        return '\0';
}

static int parse_untyped(const char **s, Arena *a, Variant *v) {
        const char *rest;

        if (**s == '\'' || **s == '"') {
                v->type = 's';
                return parse_string(s, a, &v->s);
        }
        if (**s == '[') {
                v->type = 'a';
                return parse_list(s, a, v);
        }
        if ((rest = startswith(*s, "true")) || (rest = startswith(*s, "false"))) {
                v->type = 'b';
                v->u = **s == 't';
                *s = rest;
                return 0;
        }
        return parse_number(s, v);
}

static int check_range(const Variant *v, char type) {
        static const struct {
                char type;
                int64_t min;
                uint64_t max;
        } ranges[] = {
                { 'y', 0, UINT8_MAX },         { 'n', INT16_MIN, INT16_MAX }, { 'q', 0, UINT16_MAX },
                { 'i', INT32_MIN, INT32_MAX }, { 'u', 0, UINT32_MAX },        { 'x', INT64_MIN, INT64_MAX },
                { 't', 0, UINT64_MAX },        { 'd', INT64_MIN, UINT64_MAX },
        };

        for (size_t i = 0; i < ELEMENTSOF(ranges); i++)
                if (ranges[i].type == type)
                        return (v->negative ? v->i >= ranges[i].min : v->u <= ranges[i].max) ? 0 : -EINVAL;
        return -EINVAL;
}

int variant_parse(const char *text, Arena *a, Variant *ret) {
        const char *s = skip_space(text);
        Variant v = {};
        char type;
        int r;

        type = parse_type(&s);
        r = parse_untyped(&s, a, &v);
        if (r < 0)
                return -EINVAL;
        if (*skip_space(s) != '\0')
                return -EINVAL;
        if (type != '\0' && type != v.type) {
                if (v.type != '\0' || check_range(&v, type) < 0)
                        return -EINVAL;
                v.type = type;
        }
        /* The elements of an empty list could be anything. */
        if (v.type == 'a' && v.n_items == 0 && type != 'a')
                return -EINVAL;
        *ret = v;
        return 0;
}

int variant_convert(Variant *v, UnitType type) {
        char wanted = unit_signatures[type][0]; /* of a list: it can be one of strings only */

        if (v->type == wanted)
                return 0;
        return v->type == '\0' ? check_range(v, wanted) : -EINVAL;
}

void variant_split(Variant *v, Arena *a) {
        Strings words = {};

        for (const char *p = v->s; *(p += strspn(p, " \t")); p += strcspn(p, " \t"))
                strings_add(a, &words, arena_strndup(a, p, strcspn(p, " \t")));
        *v = (Variant){ .type = 'a', .items = words.s, .n_items = words.n };
}

int variant_seconds_to_usec(Variant *v) {
        if (v->type != '\0' && !strchr("ynqiuxtd", v->type))
                return -EINVAL;
        if (v->negative)
                return -EINVAL;
        if (v->type == 'd') {
                if (!(v->d < 1e13))
                        return -EINVAL;
                v->u = (uint64_t) (v->d * 1e6);
        } else if (__builtin_mul_overflow(v->u, UINT64_C(1000000), &v->u))
                return -EINVAL;
        v->type = 't';
        return 0;
}
