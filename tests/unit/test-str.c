/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <signal.h>

#include "basic/alloc.h"
#include "basic/error.h"
#include "basic/file.h"
#include "basic/str.h"
#include "test.h"

static void test_numbers(void) {
        uint64_t u;
        int64_t i;
        uint32_t m;

        TEST("integers are decimal digits and nothing else");
        ASSERT_EQ(parse_u64("18446744073709551615", &u), 0);
        ASSERT(u == UINT64_MAX);
        ASSERT_EQ(parse_u64("18446744073709551616", &u), -ERANGE);
        static const char *const bad[] = { "", " 1", "1 ", "+1", "-1", "0x1", "1e3", "1.0" };
        for (size_t k = 0; k < ELEMENTSOF(bad); k++)
                ASSERT_EQ(parse_u64(bad[k], &u), -EINVAL);
        ASSERT_EQ(parse_i64("-9223372036854775808", &i), 0);
        ASSERT(i == INT64_MIN);
        ASSERT_EQ(parse_i64("9223372036854775808", &i), -ERANGE);
        ASSERT_EQ(parse_i64("--1", &i), -EINVAL);
        ASSERT_EQ(parse_mode("0755", &m), 0);
        ASSERT_EQ(m, 0755);
        ASSERT_EQ(parse_mode("08", &m), -EINVAL);
        ASSERT_EQ(parse_mode("10000", &m), -ERANGE);
}

static void test_strip(void) {
        char both[] = " \t a b\n\n", blanks[] = " \n", none[] = "a";

        TEST("blanks around a string, not within");
        ASSERT_STR(strip(both), "a b");
        ASSERT_STR(strip(blanks), "");
        ASSERT_STR(strip(none), "a");
}

static void test_bits(void) {
        static const char *const bad[] = { "0-", "-1", "1-0", "0-1-2", "0 1", "0 - 1", "0,1-", "+1", "a", "0x1", "0-3:2", "0;1" };
        static const char *const nothing[] = { "", " ", ",", " ,\n" };
        uint8_t bits[2] = {}, blanks[2] = {}, none[2] = {};

        TEST("lists of numbers as bits");
        ASSERT_EQ(parse_bits("0-2,7,9-9,15", bits, sizeof(bits)), 2);
        ASSERT_EQ(bits[0], 0x87);
        ASSERT_EQ(bits[1], 0x82);
        ASSERT(has_bit(bits, 7) && !has_bit(bits, 8) && has_bit(bits, 9));
        ASSERT_EQ(parse_bits(" 0-2 ,,\t7,\n", blanks, sizeof(blanks)), 1);
        ASSERT_EQ(blanks[0], 0x87);
        for (size_t k = 0; k < ELEMENTSOF(nothing); k++)
                ASSERT_EQ(parse_bits(nothing[k], none, sizeof(none)), 0);
        ASSERT_EQ(parse_bits("16", none, sizeof(none)), -ERANGE);
        ASSERT_EQ(parse_bits("0-99999999999999999999", none, sizeof(none)), -ERANGE);
        ASSERT_EQ(none[0] | none[1], 0);
        for (size_t k = 0; k < ELEMENTSOF(bad); k++)
                ASSERT_EQ(parse_bits(bad[k], bits, sizeof(bits)), -EINVAL);
}

static void test_signals(void) {
        TEST("signals by number, by name and relative to the real-time ones");
        ASSERT_EQ(parse_signal("9"), SIGKILL);
        ASSERT_EQ(parse_signal("KILL"), SIGKILL);
        ASSERT_EQ(parse_signal("SIGKILL"), SIGKILL);
        ASSERT_EQ(parse_signal("sigkill"), SIGKILL);
        ASSERT_EQ(parse_signal("SIGRTMIN+3"), SIGRTMIN + 3);
        ASSERT_EQ(parse_signal("rtmax-1"), SIGRTMAX - 1);
        ASSERT_EQ(parse_signal("RTMAX"), SIGRTMAX);
        static const char *const bad[] = { "", "0", "65", "-9", "SIG", "KILLED", "RTMIN-1", "RTMIN+99", "RTMIN3" };
        for (size_t k = 0; k < ELEMENTSOF(bad); k++)
                ASSERT_EQ(parse_signal(bad[k]), -EINVAL);
}

static void test_escape(void) {
        _cleanup_text_ Text t = {};

        TEST("escaped text is one line and comes back");
        text_add_escaped(&t, "a\nb\\c=d\x7f", "=");
        ASSERT_STR(t.s, "a\\x0ab\\x5cc\\x3dd\\x7f");
        ASSERT_EQ(unescape(t.s), 0);
        ASSERT_STR(t.s, "a\nb\\c=d\x7f");
        char bad[] = "x\\x0";
        ASSERT_EQ(unescape(bad), -EINVAL);
}

static void test_printable(void) {
        _cleanup_error_ Error e = {};

        TEST("an error is one line of UTF-8 whatever it quotes");
        error_setf(&e, EINVAL, "%s", "a\n\x1b[1m\x7f \\ \xc3\xa9 \xc3 \xff\xe2\x82\xac \xc2\x9b \xed\xa0\x80 \xe2\x82");
        error_prefixf(&e, "%s", "\r");
        ASSERT_STR(e.message, "\\x0d: a\\x0a\\x1b[1m\\x7f \\ \xc3\xa9 \\xc3 \\xff\xe2\x82\xac \\xc2\\x9b "
                   "\\xed\\xa0\\x80 \\xe2\\x82");
}

static void test_kinds(void) {
        _cleanup_error_ Error ours = {}, kernels = {}, moved = {};

        TEST("an error of ours has a kind by its errno, one of the kernel's is none of them");
        error_setf(&ours, ENOENT, "container does not exist: %s", "c1");
        ASSERT_EQ(ours.kind, ERROR_NO_CONTAINER);
        error_errnof(&kernels, ENOENT, "cannot open %s", "/x");
        ASSERT_EQ(kernels.kind, ERROR_SYSTEM);
        ASSERT_STR(kernels.message, "cannot open /x: no such file or directory");

        TEST("an error that is moved is the other's, if that has none");
        ASSERT_EQ(error_move(&moved, &ours), -ENOENT);
        ASSERT_EQ(moved.kind, ERROR_NO_CONTAINER);
        ASSERT_EQ(ours.code, 0);
        ASSERT_EQ(error_move(&moved, &kernels), -ENOENT);
        ASSERT_EQ(moved.kind, ERROR_NO_CONTAINER);
        ASSERT_EQ(error_move(NULL, &kernels), -ENOENT);
}

static void test_paths(void) {
        _cleanup_(arena_done) Arena a = {};

        TEST("paths are made absolute without looking them up");
        ASSERT_STR(path_normalize(&a, "/b", "rootfs"), "/b/rootfs");
        ASSERT_STR(path_normalize(&a, "/b", "/x//y/./z/"), "/x/y/z");
        ASSERT_STR(path_normalize(&a, "/b", "../../.."), "/");
        ASSERT_STR(path_normalize(&a, "/b/c", "../d"), "/b/d");
        ASSERT_STR(path_normalize(&a, "/", "..."), "/...");
        ASSERT(path_is_below("/a/b", "/a"));
        ASSERT(path_is_below("/a", "/a"));
        ASSERT(path_is_below("/a", "/"));
        ASSERT(!path_is_below("/ab", "/a"));
}

int main(void) {
        test_numbers();
        test_strip();
        test_bits();
        test_signals();
        test_escape();
        test_printable();
        test_kinds();
        test_paths();
        return 0;
}
