/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/moment.h"

#include "test.h"

#define SEC UINT64_C(1000000)

static void test_moments(void) {
        static const uint64_t now = 1796032800 * SEC; /* 2026-11-30T10:00:00Z */
        static const struct {
                const char *text;
                uint64_t usec;
        } good[] = {
                { "2026-11-30T10:00:00Z", now }, { "2026-11-30T11:30:00.5+01:30", now + SEC / 2 },
                { "2026-11-30T05:00:00.0000019-05:00", now + 1 }, { "1970-01-01T00:00:00z", 0 }, { "@0", 0 },
                { "@1796032800.25", now + SEC / 4 }, { "0", now }, { "10m", now - 600 * SEC }, { "1h 30s", now - 3630 * SEC },
                { "infinity", 0 }, { "3000 w", 0 },
        };
        static const char *const bad[] = {
                "", "now", "2026-11-30", "2026-11-30T10:00:00", "2026-11-30T10:00Z", "2026-13-30T10:00:00Z",
                "2026-11-30T10:00:00.Z", "2026-11-30T10:00:00+1:00", "2026-11-30T10:00:00+01:00 ", "2026-11-30T10:00:00+0100",
                "2026-11-30T10:00:00+01:0", "2026-11-30T10:00:00Zulu", "@", "@-1", "@ten", "1969-12-31T23:59:59Z",
        };
        uint64_t usec = 0;

        TEST("moments: RFC 3339, seconds, and how long ago");
        for (size_t i = 0; i < ELEMENTSOF(good); i++) {
                ASSERT_EQ(parse_moment(good[i].text, now, &usec), 0);
                ASSERT_EQ(usec, good[i].usec);
        }
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ASSERT(parse_moment(bad[i], now, &usec) < 0);
}

static void test_written(void) {
        _cleanup_text_ Text t = {};

        TEST("and written");
        text_add_moment(&t, UINT64_C(1764496800000012));
        ASSERT_STR(t.s, "2025-11-30T10:00:00.000012Z");
}

int main(void) {
        test_moments();
        test_written();
        return 0;
}
