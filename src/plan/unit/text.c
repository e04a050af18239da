/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/unit/text.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <strings.h>
#include <sysexits.h>

#include "basic/names.h"
#include "basic/quantity.h"

#define WHOLE 10000U            /* hundredths of a percent */
#define USEC_PER_HUNDREDTH 100U /* of a percent of a second */
#define USEC_PER_PERCENT 10000U /* of a second */
#define WEIGHT_MAX 10000U

/* sysexits(3). systemd has more of them, which are for what it does itself before a program runs. */
static const Name status_names[] = {
        { "SUCCESS", 0 },
        { "FAILURE", 1 },
        { "USAGE", EX_USAGE },
        { "DATAERR", EX_DATAERR },
        { "NOINPUT", EX_NOINPUT },
        { "NOUSER", EX_NOUSER },
        { "NOHOST", EX_NOHOST },
        { "UNAVAILABLE", EX_UNAVAILABLE },
        { "SOFTWARE", EX_SOFTWARE },
        { "OSERR", EX_OSERR },
        { "OSFILE", EX_OSFILE },
        { "CANTCREAT", EX_CANTCREAT },
        { "IOERR", EX_IOERR },
        { "TEMPFAIL", EX_TEMPFAIL },
        { "PROTOCOL", EX_PROTOCOL },
        { "NOPERM", EX_NOPERM },
        { "CONFIG", EX_CONFIG },
        {}
};

static int parse_bool(const char *s, uint64_t *ret) {
        static const char *const words[2][6] = { { "no", "false", "off", "0", "n", "f" },
                                                 { "yes", "true", "on", "1", "y", "t" } };

        for (size_t value = 0; value < 2; value++)
                for (size_t i = 0; i < ELEMENTSOF(words[value]); i++)
                        if (strcasecmp(s, words[value][i]) == 0) {
                                *ret = value;
                                return 0;
                        }
        return -EINVAL;
}

/* "12.34%": 1234. */
static int parse_percent(const char *s, uint64_t *ret) {
        size_t whole = strspn(s, "0123456789"), part = s[whole] == '.' ? strspn(s + whole + 1, "0123456789") : 0;
        const char *end = s + whole + (s[whole] == '.') + part;
        const char *zeros = part == 0 ? "00" : part == 1 ? "0" : "";
        _cleanup_free_ char *digits = NULL;

        if (whole == 0 || part > 2 || (s[whole] == '.' && part == 0) || !streq(end, "%"))
                return -EINVAL;
        digits = xasprintf("%.*s%.*s%s", (int) whole, s, (int) part, s + whole + 1, zeros);
        return parse_u64(digits, ret);
}

/* Of 2^32 - 1, rounded, as systemd has it on the bus. */
static int parse_share(const char *s, uint64_t *ret) {
        uint64_t hundredths;
        int r = parse_percent(s, &hundredths);

        if (r < 0 || hundredths > WHOLE)
                return r < 0 ? r : -ERANGE;
        *ret = (hundredths * UINT32_MAX + WHOLE / 2) / WHOLE;
        return 0;
}

/* Whole percents, rounded up: systemd 252 keeps no others. */
static int parse_quota(const char *s, uint64_t *ret) {
        uint64_t hundredths, usec;
        int r = parse_percent(s, &hundredths);

        if (r < 0 || hundredths == 0)
                return r < 0 ? r : -EINVAL;
        if (__builtin_mul_overflow(hundredths, USEC_PER_HUNDREDTH, &usec) || usec > UINT64_MAX - USEC_PER_PERCENT)
                return -ERANGE;
        *ret = (usec + USEC_PER_PERCENT - 1) / USEC_PER_PERCENT * USEC_PER_PERCENT;
        return 0;
}

static int parse_size(const char *s, uint64_t *ret) {
        int64_t bytes;
        int r = parse_bytes(s, &bytes);

        if (r < 0 || bytes < 0)
                return r < 0 ? r : -EINVAL;
        *ret = (uint64_t) bytes;
        return 0;
}

static int parse_weight(const Property *p, const char *s, uint64_t *ret) {
        int r;

        if (p->text == TEXT_CPU_WEIGHT && streq(s, "idle")) {
                *ret = 0;
                return 0;
        }
        r = parse_u64(s, ret);
        return r < 0 ? r : *ret < 1 || *ret > WEIGHT_MAX ? -ERANGE : 0;
}

static bool has_share(const Property *p) {
        return p->text == TEXT_BYTES || p->text == TEXT_TASKS;
}

static bool has_infinity(const Property *p) {
        return has_share(p) || p->text == TEXT_QUOTA; /* and times have */
}

/* What is a number on the bus, of whatever size. */
static int parse_number(const Property *p, const char *s, Variant *v) {
        uint32_t count;
        int r;

        if (has_infinity(p) && streq(s, "infinity")) {
                v->u = UINT64_MAX;
                return 0;
        }
        if (has_share(p) && endswith(s, "%")) {
                v->type = 'u';
                return parse_share(s, &v->u);
        }
        switch (p->text) {
        case TEXT_BOOL:
                return parse_bool(s, &v->u);
        case TEXT_COUNT:
                r = parse_u32(s, &count);
                v->u = r < 0 ? 0 : count;
                return r;
        case TEXT_SPAN:
                return parse_timespan(s, &v->u);
        case TEXT_SHARE:
                return parse_share(s, &v->u);
        case TEXT_QUOTA:
                return parse_quota(s, &v->u);
        case TEXT_WEIGHT:
        case TEXT_CPU_WEIGHT:
                return parse_weight(p, s, &v->u);
        default:
                r = p->text == TEXT_BYTES ? parse_size(s, &v->u) : parse_u64(s, &v->u);
                return r < 0 ? r : v->u < p->least ? -ERANGE : 0;
        }
}

static int check_units(const Variant *v) {
        static const char *const types[] = { ".service", ".socket", ".device",    ".mount", ".swap",  ".target",
                                             ".path",    ".timer",  ".automount", ".slice", ".scope", NULL };

        for (size_t i = 0; i < v->n_items; i++)
                if (!unit_name_is_plain(v->items[i], types))
                        return -EINVAL;
        return 0;
}

static int check_paths(const Variant *v) {
        for (size_t i = 0; i < v->n_items; i++)
                if (v->items[i][0] != '/')
                        return -EINVAL;
        return 0;
}

static int parse_list(const Property *p, Variant *v, Arena *a) {
        variant_split(v, a);
        if (v->n_items == 0)
                return -EINVAL;
        if (p->text == TEXT_UNITS)
                return check_units(v);
        return p->text == TEXT_PATHS ? check_paths(v) : unit_property_check(p, v);
}

int text_parse(const Property *p, const char *text, Arena *a, Variant *ret) {
        Variant v = { .type = unit_signatures[p->type][0], .s = text };
        int r;

        switch (p->type) {
        case UNIT_STRV:
                r = isempty(text) ? -EINVAL : parse_list(p, &v, a);
                break;
        case UNIT_STRING:
                r = p->text == TEXT_SLICE && !unit_slice_is_plain(text) ? -EINVAL : unit_property_check(p, &v);
                break;
        case UNIT_I32:
                v.i = parse_signal(text);
                r = unit_property_check(p, &v);
                break;
        default:
                r = parse_number(p, text, &v);
        }
        if (r == 0)
                *ret = v;
        return r;
}

int text_parse_statuses(const char *text, Arena *a, UnitProp *ret) {
        Variant words = { .s = text };
        int32_t *exits, *signals;
        size_t n_exits = 0, n_signals = 0;

        variant_split(&words, a);
        exits = arena_calloc(a, words.n_items + 1, sizeof(int32_t));
        signals = arena_calloc(a, words.n_items + 1, sizeof(int32_t));
        for (size_t i = 0; i < words.n_items; i++) {
                const char *word = words.items[i];
                const Name *known = name_find(status_names, word);
                uint32_t number;

                if (known)
                        exits[n_exits++] = known->value;
                else if (parse_u32(word, &number) == 0 && number <= UINT8_MAX)
                        exits[n_exits++] = (int32_t) number;
                else if (!isdigit((unsigned char) word[0]) && parse_signal(word) > 0)
                        signals[n_signals++] = parse_signal(word);
                else
                        return -EINVAL;
        }
        ret->v.statuses.exits = exits;
        ret->v.statuses.n_exits = n_exits;
        ret->v.statuses.signals = signals;
        ret->v.statuses.n_signals = n_signals;
        return n_exits + n_signals > 0 ? 0 : -EINVAL;
}

static void add_words(Text *t, const char *words) {
        size_t n = 0;

        for (const char *p = words; *(p += strspn(p, " ")); p += strcspn(p, " "))
                n++;
        for (const char *p = words; *(p += strspn(p, " ")); p += strcspn(p, " ")) {
                text_addn(t, p, strcspn(p, " "));
                text_add(t, --n > 1 ? ", " : n == 1 ? " or " : "");
        }
}

void text_add_expected(Text *t, const Property *p) {
        static const char *const kinds[] = {
                [TEXT_BOOL] = "yes or no",
                [TEXT_BYTES] = "a size such as 64M or 1.5G, a share such as 10% or infinity",
                [TEXT_COUNT] = "a number",
                [TEXT_CPU_WEIGHT] = "a number from 1 to 10000 or idle",
                [TEXT_PATHS] = "absolute paths",
                [TEXT_QUOTA] = "a share of one CPU such as 50% or 150%, or infinity",
                [TEXT_SHARE] = "a share such as 60%",
                [TEXT_SIGNAL] = "a signal such as TERM",
                [TEXT_SLICE] = "a slice such as machine.slice",
                [TEXT_SPAN] = "a time such as 5min 20s or infinity",
                [TEXT_STATUSES] = "exit statuses and signals such as 3 TEMPFAIL TERM",
                [TEXT_TASKS] = "a number, a share such as 10% or infinity",
                [TEXT_TEXT] = "one line of text",
                [TEXT_UNITS] = "names of units such as web.service",
                [TEXT_URLS] = "addresses such as https://example.org or man:web(1)",
                [TEXT_WEIGHT] = "a number from 1 to 10000",
        };

        if (p->text == TEXT_WORD)
                add_words(t, p->values);
        else
                text_add(t, kinds[p->text]);
}
