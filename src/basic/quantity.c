/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/quantity.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>

#define BILLION 1000000000U

#define NSEC_PER_USEC UINT64_C(1000)
#define NSEC_PER_SEC UINT64_C(1000000000)
#define NSEC_PER_MIN (60U * NSEC_PER_SEC)
#define NSEC_PER_HOUR (60U * NSEC_PER_MIN)
#define NSEC_PER_DAY (24U * NSEC_PER_HOUR)

typedef struct Unit {
        const char *name;
        uint64_t value;
} Unit;

static const Unit time_units[] = {
        { "ns", 1 }, { "nsec", 1 },
        { "us", NSEC_PER_USEC }, { "\xc2\xb5s", NSEC_PER_USEC }, { "\xce\xbcs", NSEC_PER_USEC }, { "usec", NSEC_PER_USEC },
        { "ms", 1000000 }, { "msec", 1000000 },
        { "", NSEC_PER_SEC }, { "s", NSEC_PER_SEC }, { "sec", NSEC_PER_SEC }, { "second", NSEC_PER_SEC },
        { "seconds", NSEC_PER_SEC },
        { "m", NSEC_PER_MIN }, { "min", NSEC_PER_MIN }, { "minute", NSEC_PER_MIN },
        { "minutes", NSEC_PER_MIN },
        { "h", NSEC_PER_HOUR }, { "hr", NSEC_PER_HOUR }, { "hour", NSEC_PER_HOUR },
        { "hours", NSEC_PER_HOUR },
        { "d", NSEC_PER_DAY }, { "day", NSEC_PER_DAY }, { "days", NSEC_PER_DAY },
        { "w", 7U * NSEC_PER_DAY }, { "week", 7U * NSEC_PER_DAY }, { "weeks", 7U * NSEC_PER_DAY },
};

/* "1.5" and its unit, at *s, which is moved behind them. */
typedef struct Amount {
        uint64_t whole, billionths;
        const char *unit;
        size_t unit_length;
} Amount;

static bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

static const char *skip_blanks(const char *s) {
        return s + strspn(s, " \t");
}

static int take(const char **s, Amount *ret) {
        const char *p = skip_blanks(*s), *digits = p;
        uint32_t place = BILLION;

        *ret = (Amount){};
        for (; is_digit(*p); p++)
                if (__builtin_mul_overflow(ret->whole, 10U, &ret->whole) ||
                    __builtin_add_overflow(ret->whole, (uint64_t) (*p - '0'), &ret->whole))
                        return -ERANGE;
        if (p == digits)
                return -EINVAL;
        if (*p == '.') {
                if (!is_digit(*++p))
                        return -EINVAL;
                for (; is_digit(*p); p++)
                        ret->billionths += (uint64_t) (place /= 10) * (uint32_t) (*p - '0');
        }
        ret->unit = p = skip_blanks(p);
        while (isalpha((unsigned char) *p) || (unsigned char) *p >= 0x80)
                p++;
        ret->unit_length = (size_t) (p - ret->unit);
        *s = skip_blanks(p);
        return 0;
}

/* *sum += amount * unit */
static int add(const Amount *amount, uint64_t unit, uint64_t *sum) {
        uint64_t product, part = (uint64_t) ((unsigned __int128) amount->billionths * unit / BILLION);

        if (__builtin_mul_overflow(amount->whole, unit, &product) || __builtin_add_overflow(product, part, &product) ||
            __builtin_add_overflow(*sum, product, sum))
                return -ERANGE;
        return 0;
}

int parse_timespan(const char *s, uint64_t *ret) {
        uint64_t nsec = 0;

        if (streq(s, "infinity")) {
                *ret = UINT64_MAX;
                return 0;
        }
        do {
                const Unit *unit = NULL;
                Amount amount;
                int r = take(&s, &amount);

                for (size_t i = 0; r == 0 && !unit && i < ELEMENTSOF(time_units); i++)
                        if (strlen(time_units[i].name) == amount.unit_length &&
                            strncmp(time_units[i].name, amount.unit, amount.unit_length) == 0)
                                unit = &time_units[i];
                if (r == 0)
                        r = unit ? add(&amount, unit->value, &nsec) : -EINVAL;
                if (r < 0)
                        return r;
        } while (*s);
        *ret = nsec / NSEC_PER_USEC;
        return 0;
}

/* "", "b", "k", "kb", "kib": 1 for each of the first two, 1024 for the others; 0: none. */
static uint64_t bytes_unit(const Amount *amount) {
        static const char letters[] = "bkmgtp";
        const char *rest = amount->unit + 1, *letter;
        size_t n = amount->unit_length;

        if (n == 0)
                return 1;
        letter = strchr(letters, tolower((unsigned char) amount->unit[0]));
        if (!letter || n > 3 || (n > 1 && letter == letters))
                return 0;
        if ((n == 3 && tolower((unsigned char) rest[0]) != 'i') || (n > 1 && tolower((unsigned char) rest[n - 2]) != 'b'))
                return 0;
        return UINT64_C(1) << 10 * (letter - letters);
}

int parse_bytes(const char *s, int64_t *ret) {
        uint64_t unit, bytes = 0;
        Amount amount;
        int r;

        if (streq(s, "-1")) {
                *ret = -1;
                return 0;
        }
        r = take(&s, &amount);
        if (r < 0)
                return r;
        unit = bytes_unit(&amount);
        if (unit == 0 || *s)
                return -EINVAL;
        r = add(&amount, unit, &bytes);
        if (r < 0 || bytes > INT64_MAX)
                return -ERANGE;
        *ret = (int64_t) bytes;
        return 0;
}

void text_add_timespan(Text *t, uint64_t usec) {
        static const struct {
                uint64_t seconds;
                const char *name, *plural;
        } units[] = { { UINT64_C(24) * 3600, " day", " days" }, { 3600, "h", "h" }, { 60, "min", "min" }, { 1, "s", "s" } };
        uint64_t seconds = usec / 1000000;
        size_t i = 0;

        while (i < ELEMENTSOF(units) - 1 && seconds < units[i].seconds)
                i++;
        text_addf(t, "%" PRIu64 "%s", seconds / units[i].seconds,
                  seconds / units[i].seconds == 1 ? units[i].name : units[i].plural);
        seconds %= units[i].seconds;
        if (i > 0 && i < ELEMENTSOF(units) - 1 && seconds / units[i + 1].seconds > 0)
                text_addf(t, " %" PRIu64 "%s", seconds / units[i + 1].seconds, units[i + 1].plural);
}
