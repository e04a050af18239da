/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/moment.h"

#include <ctype.h>
#include <errno.h>
#include <time.h>

#include "basic/quantity.h"

#define SECONDS "%Y-%m-%dT%H:%M:%S"
#define NANOSECOND_DIGITS 9
#define MICROSECOND_DIGITS 6

static void add(Text *t, time_t seconds, long nanoseconds, int digits) {
        char stamp[64] = "";
        long part = nanoseconds;
        struct tm tm;

        if (gmtime_r(&seconds, &tm))
                strftime(stamp, sizeof(stamp), SECONDS, &tm);
        text_add(t, stamp);
        for (int i = digits; i < NANOSECOND_DIGITS; i++)
                part /= 10;
        if (digits > 0)
                text_addf(t, ".%0*ld", digits, part);
        text_add(t, "Z");
}

void text_add_now(Text *t, int digits) {
        struct timespec now = {};

        (void) clock_gettime(CLOCK_REALTIME, &now);
        add(t, now.tv_sec, now.tv_nsec, digits);
}

void text_add_moment(Text *t, uint64_t usec) {
        add(t, (time_t) (usec / 1000000), (long) (usec % 1000000) * 1000, MICROSECOND_DIGITS);
}

const char *moment_at(uint64_t usec, Arena *a) {
        _cleanup_text_ Text t = {};

        text_add_moment(&t, usec);
        return arena_strdup(a, t.s);
}

const char *moment_now(Arena *a) {
        _cleanup_text_ Text t = {};

        text_add_now(&t, NANOSECOND_DIGITS);
        return arena_strdup(a, t.s);
}

void text_add_age(Text *t, const char *moment) {
        time_t now = time(NULL), then;
        struct tm tm = {};

        if (!strptime(moment, SECONDS, &tm)) {
                text_add(t, moment);
                return;
        }
        then = timegm(&tm);
        text_add_timespan(t, then < now ? (uint64_t) (now - then) * 1000000 : 0);
        text_add(t, " ago");
}

/* --- to be read ------------------------------------------------------------------------------------------------- */

/* "Z", "+01:00": minutes from UTC. */
static int parse_zone(const char *s, int *ret) {
        const char *p = s + 1;
        int digits[4];

        if (streq(s, "Z") || streq(s, "z")) {
                *ret = 0;
                return 0;
        }
        if (*s != '+' && *s != '-')
                return -EINVAL;
        for (size_t i = 0; i < ELEMENTSOF(digits); i++) {
                if (i == 2 && *p++ != ':')
                        return -EINVAL;
                if (!isdigit((unsigned char) *p))
                        return -EINVAL;
                digits[i] = *p++ - '0';
        }
        if (*p)
                return -EINVAL;
        *ret = (*s == '-' ? -1 : 1) * ((digits[0] * 10 + digits[1]) * 60 + digits[2] * 10 + digits[3]);
        return 0;
}

static int parse_rfc3339(const char *s, uint64_t *ret) {
        struct tm tm = {};
        const char *rest = strptime(s, SECONDS, &tm);
        uint64_t usec = 0, unit = 1000000;
        int64_t seconds;
        int minutes;

        if (!rest)
                return -EINVAL;
        if (*rest == '.') {
                if (!isdigit((unsigned char) *++rest))
                        return -EINVAL;
                for (; isdigit((unsigned char) *rest); rest++)
                        usec += (unit /= 10) * (uint64_t) (*rest - '0');
        }
        if (parse_zone(rest, &minutes) < 0)
                return -EINVAL;
        seconds = timegm(&tm) - (int64_t) minutes * 60;
        if (seconds < 0)
                return -ERANGE;
        *ret = (uint64_t) seconds * 1000000 + usec;
        return 0;
}

int parse_moment(const char *s, uint64_t now, uint64_t *ret) {
        uint64_t span;
        int r;

        if (*s == '@')
                return parse_timespan(s + 1, ret);
        r = parse_timespan(s, &span);
        if (r < 0)
                return parse_rfc3339(s, ret) == 0 ? 0 : r;
        *ret = span < now ? now - span : 0;
        return 0;
}
