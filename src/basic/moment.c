/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/moment.h"

#include <time.h>

#include "basic/quantity.h"

#define SECONDS "%Y-%m-%dT%H:%M:%S"
#define NANOSECOND_DIGITS 9

void text_add_now(Text *t, int digits) {
        struct timespec now = {};
        char stamp[64] = "";
        struct tm tm;
        long part;

        (void) clock_gettime(CLOCK_REALTIME, &now);
        if (gmtime_r(&now.tv_sec, &tm))
                strftime(stamp, sizeof(stamp), SECONDS, &tm);
        text_add(t, stamp);
        part = now.tv_nsec;
        for (int i = digits; i < NANOSECOND_DIGITS; i++)
                part /= 10;
        if (digits > 0)
                text_addf(t, ".%0*ld", digits, part);
        text_add(t, "Z");
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
