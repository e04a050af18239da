/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "basic/alloc.h"
#include "basic/quantity.h"
#include "test.h"

#define SEC UINT64_C(1000000)

static void test_timespans(void) {
        static const struct {
                const char *text;
                uint64_t usec;
        } good[] = {
                { "0", 0 }, { "5", 5 * SEC }, { "5s", 5 * SEC }, { "5 s", 5 * SEC }, { " 90 ", 90 * SEC }, { "1min", 60 * SEC },
                { "1m30s", 90 * SEC }, { "1min 30s", 90 * SEC }, { "1.5h", 5400 * SEC }, { "500ms", SEC / 2 },
                { "0.25", SEC / 4 }, { "2 hours", 7200 * SEC }, { "1d", 86400 * SEC }, { "1 week", 7 * 86400 * SEC },
                { "1500ns", 1 }, { "7us", 7 }, { "7\xc2\xb5s", 7 }, { "7\xce\xbcs", 7 }, { "1s 1", 2 * SEC },
                { "infinity", UINT64_MAX },
        };
        static const char *const bad[] = {
                "", " ", "s", "-1", "+1", "5x", "5 5 x", "1..5", "1.", ".5", "5S", "1e3", "5,5", "inf", "5s infinity", "0x5",
        };
        static const char *const huge[] = { "18446744073709551616", "20000000000s", "213504000d" };
        uint64_t usec = 0;

        TEST("time spans as systemd and Go write them");
        for (size_t i = 0; i < ELEMENTSOF(good); i++) {
                ASSERT_EQ(parse_timespan(good[i].text, &usec), 0);
                ASSERT_EQ(usec, good[i].usec);
        }
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ASSERT_EQ(parse_timespan(bad[i], &usec), -EINVAL);
        for (size_t i = 0; i < ELEMENTSOF(huge); i++)
                ASSERT_EQ(parse_timespan(huge[i], &usec), -ERANGE);
}

static void test_bytes(void) {
        static const struct {
                const char *text;
                int64_t bytes;
        } good[] = {
                { "0", 0 }, { "-1", -1 }, { "65536", 65536 }, { "9223372036854775807", INT64_MAX }, { "7b", 7 }, { "7B", 7 },
                { "64k", 65536 }, { "64K", 65536 }, { "64kb", 65536 }, { "64KiB", 65536 }, { "64 mb", 64 << 20 },
                { "64m", 64 << 20 }, { "1.5g", INT64_C(3) << 29 }, { "1.5GiB", INT64_C(3) << 29 }, { "1t", INT64_C(1) << 40 },
                { "1PB", INT64_C(1) << 50 },
        };
        static const char *const bad[] = {
                "", "k", "-2", "-1k", "+1", "64x", "64mm", "64bb", "64bi", "64mi", "64mibs", "64m 1k", "1.m", "lots", "64i", "0x4",
        };
        int64_t bytes = 0;

        TEST("bytes as Podman and Docker read them");
        for (size_t i = 0; i < ELEMENTSOF(good); i++) {
                ASSERT_EQ(parse_bytes(good[i].text, &bytes), 0);
                ASSERT_EQ(bytes, good[i].bytes);
        }
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ASSERT_EQ(parse_bytes(bad[i], &bytes), -EINVAL);
        ASSERT_EQ(parse_bytes("9223372036854775808", &bytes), -ERANGE);
        ASSERT_EQ(parse_bytes("8192p", &bytes), -ERANGE);
}

static void test_print(void) {
        static const struct {
                uint64_t seconds;
                const char *text;
        } cases[] = {
                { 0, "0s" }, { 59, "59s" }, { 60, "1min" }, { 125, "2min 5s" }, { 3600, "1h" }, { 12000, "3h 20min" },
                { 86399, "23h 59min" }, { 86400, "1 day" }, { 200000, "2 days" },
        };

        TEST("time spans for people");
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_text_ Text t = {};

                text_add_timespan(&t, cases[i].seconds * SEC);
                ASSERT_STR(t.s, cases[i].text);
        }
}

int main(void) {
        test_timespans();
        test_bytes();
        test_print();
        return 0;
}
