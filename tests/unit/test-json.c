/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "basic/str.h"
#include "oci/json.h"
#include "test.h"

typedef struct Inner { uint32_t a; const char *s; } Inner;
typedef struct Pair { const char *key; uint32_t a; const char *s; } Pair;
typedef struct Outer {
        bool b;
        OptBool ob;
        uint64_t u64;
        int64_t i64;
        uint32_t u32, narrow;
        int32_t i32;
        uint16_t u16;
        OptU64 ou64;
        OptI64 oi64;
        OptI32 oi32;
        const char *s, *path, *word;
        const char **strings, **never;
        size_t n_strings;
        int name;
        uint64_t bits;
        uint32_t *numbers;
        size_t n_numbers;
        Inner inner, *pointer, *array;
        size_t n_array;
        SpecKeyValue *map;
        size_t n_map;
        Pair *objects;
        size_t n_objects;
} Outer;

static const JsonField inner_fields[] = {
        JSON_U32("a", Inner, a, .required = true),
        JSON_STRING("s", Inner, s),
        {}
};
static const JsonField pair_fields[] = {
        JSON_U32("a", Pair, a),
        JSON_STRING("s", Pair, s),
        {}
};
static const char *const words[] = { "one", "two", NULL };
static const Name names[] = { { "ONE", 1 }, { "TWO", 2 }, { "FOUR", 4 }, {} };
static const JsonField outer_fields[] = {
        JSON_BOOL("b", Outer, b),
        JSON_OPT_BOOL("ob", Outer, ob),
        JSON_U64("u64", Outer, u64),
        JSON_I64("i64", Outer, i64),
        JSON_U32("u32", Outer, u32),
        JSON_U32("narrow", Outer, narrow, .min = 5, .max = 7),
        JSON_I32("i32", Outer, i32),
        JSON_U16("u16", Outer, u16),
        JSON_OPT_U64("ou64", Outer, ou64),
        JSON_OPT_I64("oi64", Outer, oi64, .min = -1, .max = INT64_MAX),
        JSON_OPT_I32("oi32", Outer, oi32, .min = -20, .max = 19),
        JSON_STRING("s", Outer, s),
        JSON_STRING("path", Outer, path, .absolute = true),
        JSON_STRING("word", Outer, word, .words = words),
        JSON_STRINGS("strings", Outer, strings, JSON_COUNT(Outer, strings, n_strings), .not_empty = true),
        JSON_STRINGS("never", Outer, never, .never_null = true),
        JSON_NAME("name", Outer, name, .names = names),
        JSON_NAMES("bits", Outer, bits, .names = names),
        JSON_U32S("numbers", Outer, numbers, n_numbers),
        JSON_OBJECT("inner", Outer, inner, Inner, inner_fields),
        JSON_POINTER("pointer", Outer, pointer, Inner, inner_fields),
        JSON_ARRAY("array", Outer, array, n_array, Inner, inner_fields),
        JSON_MAP("map", Outer, map, n_map, SpecKeyValue, NULL),
        JSON_MAP("objects", Outer, objects, n_objects, Pair, pair_fields),
        JSON_IGNORED("ignored", "a reason"),
        JSON_REFUSED("refused", "a reason"),
        {}
};

static int read_outer(Arena *arena, const char *bytes, size_t size, struct json_object **document, Outer *ret,
                      Error *e) {
        Strings warnings = {};
        JsonReader reader = { arena, e, &warnings };
        JsonNode node = { .reader = &reader };
        int r;

        *ret = (Outer){};
        r = json_parse(bytes, size, document, e);
        if (r < 0)
                return r;
        node.value = *document;
        return json_read_fields(&node, outer_fields, ret);
}

static void expect_error(const char *bytes, size_t size, int code, const char *message) {
        _cleanup_(arena_done) Arena arena = {};
        struct json_object *document = NULL;
        _cleanup_error_ Error e = {};
        Outer o;
        int r;

        r = read_outer(&arena, bytes, size, &document, &o, &e);
        if (r != -code || e.code != code || !streq_null(e.message, message))
                FAIL_AT("%.*s:\n  %d \"%s\"\n  expected %d \"%s\"", (int) size, bytes, r, e.message ?: "", -code,
                        message);
        json_free(document);
}

static void test_text(void) {
        static const struct { const char *text, *error; } bad[] = {
                { "", "not valid JSON: unexpected end (line 1, column 1)" },
                { " \n ", "not valid JSON: unexpected end (line 2, column 2)" },
                { "{", "not valid JSON: unexpected end (line 1, column 2)" },
                { "{\"a\":\"", "a: not valid JSON: unexpected end (line 1, column 7)" },
                { "{\"a\":\"\\", "a: not valid JSON: unexpected end (line 1, column 8)" },
                { "{\"a\":[1,2", "a[1]: not valid JSON: unexpected end (line 1, column 10)" },
                { "1", "expected an object, got an integer" },
                { "null", "expected an object, got null" },
                { "nul", "not valid JSON: unexpected character (line 1, column 1)" },
                { "{\"a\":nan}", "a: not valid JSON: unexpected character (line 1, column 6)" },
                { "[true, truefalse]", "[1]: not valid JSON: unexpected character (line 1, column 8)" },
                { "]", "not valid JSON: unexpected character (line 1, column 1)" },
                { ",", "not valid JSON: unexpected character (line 1, column 1)" },
                { "1,2", "not valid JSON: unexpected character (line 1, column 2)" },
                { "[1}", "[0]: not valid JSON: expected ',' or ']' (line 1, column 3)" },
                { "[{]", "[0]: not valid JSON: expected a name in double quotes (line 1, column 3)" },
                { "{\"a\":1]", "a: not valid JSON: expected ',' or '}' (line 1, column 7)" },
                { "{\"a\":1:2}", "a: not valid JSON: expected ',' or '}' (line 1, column 7)" },
                { "{\"a\",1}", "not valid JSON: expected ':' (line 1, column 5)" },
                { "{\"a\":\"b\" \"c\"}", "a: not valid JSON: expected ',' or '}' (line 1, column 10)" },
                { "{\"a\":1-2}", "a: not valid JSON: expected ',' or '}' (line 1, column 7)" },
                { "[\"\\\"", "[0]: not valid JSON: unexpected end (line 1, column 5)" },
                { "{\"a", "not valid JSON: unexpected end (line 1, column 4)" },
                { "true", "expected an object, got a boolean" },
                { "[]", "expected an object, got an array" },
                { "\"a\"", "expected an object, got a string" },
                { "{} x", "not valid JSON: unexpected character (line 1, column 4)" },
                { "{}{}", "not valid JSON: unexpected character (line 1, column 3)" },
                { "{}]", "not valid JSON: unexpected character (line 1, column 3)" },
                { "{'a':1}", "strings are written with double quotes (line 1, column 2)" },
                { "{\"a\":'b'}", "a: strings are written with double quotes (line 1, column 6)" },
                { "{a:1}", "not valid JSON: expected a name in double quotes (line 1, column 2)" },
                { "{\"a\" 1}", "not valid JSON: expected ':' (line 1, column 6)" },
                { "{\"a\":1 \"b\":2}", "a: not valid JSON: expected ',' or '}' (line 1, column 8)" },
                { "{\"a\":[1 2]}", "a[0]: not valid JSON: expected ',' or ']' (line 1, column 9)" },
                { "{\"a\":1,}", "not valid JSON: expected a name in double quotes (line 1, column 8)" },
                { "{\"a\":[1,]}", "a[1]: not valid JSON: unexpected character (line 1, column 9)" },
                { "{\"a\":}", "a: not valid JSON: unexpected character (line 1, column 6)" },
                { "{\n  \"a\": /* */ 1}", "a: there are no comments in JSON (line 2, column 8)" },
                { "{\"a\":NaN}", "a: not valid JSON: unexpected character (line 1, column 6)" },
                { "{\"a\": 1, // b\n}", "there are no comments in JSON (line 1, column 10)" },
                { "# a\n{}", "there are no comments in JSON (line 1, column 1)" },
                { "{\"a\":-Infinity}", "a: malformed number (line 1, column 6)" },
                { "{\"a\":TRUE}", "a: not valid JSON: unexpected character (line 1, column 6)" },
                { "{\"a\":+1}", "a: not valid JSON: unexpected character (line 1, column 6)" },
                { "{\"a\":.5}", "a: not valid JSON: unexpected character (line 1, column 6)" },
                { "{\"a\":5.}", "a: malformed number (line 1, column 8)" },
                { "{\"a\":5e}", "a: malformed number (line 1, column 8)" },
                { "{\"a\":5e+}", "a: malformed number (line 1, column 9)" },
                { "{\"a\":-}", "a: malformed number (line 1, column 6)" },
                { "{\"a\":007}", "a: malformed number (line 1, column 6)" },
                { "{\"a\":-01}", "a: malformed number (line 1, column 6)" },
                { "{\"a\":0x1}", "a: not valid JSON: expected ',' or '}' (line 1, column 7)" },
                { "{\"a\":[0,{\"b\":18446744073709551616}]}",
                  "a[1].b: a number is out of range (-9223372036854775808 to 18446744073709551615) "
                  "(line 1, column 14)" },
                { "{\"a\":-9223372036854775809}",
                  "a: a number is out of range (-9223372036854775808 to 18446744073709551615) "
                  "(line 1, column 6)" },
                { "{\"a\":[\"x\\u0000y\"]}",
                  "a[0]: a string must not contain a NUL character (line 1, column 9)" },
                { "{\"b\\u0000\":1}", "a string must not contain a NUL character (line 1, column 4)" },
                { "{\"a\":\"x\ny\"}",
                  "a: a control character in a string must be escaped (line 1, column 8)" },
                { "{\"a\":\"\\x\"}", "a: not valid JSON: malformed escape in a string (line 1, column 8)" },
                { "{\"a\":\"\\u12g4\"}", "a: not valid JSON: malformed escape in a string (line 1, column 11)" },
                { "{\"a\\\xc3\xa9\":1}", "not valid JSON: malformed escape in a string (line 1, column 5)" },
                { "{\"a\":\"\\u12", "a: not valid JSON: unexpected end (line 1, column 11)" },
                { "{\"a\":\"\xff\"}", "a: invalid UTF-8 (line 1, column 7)" },
                { "{\"a\":\"\xc0\x80\"}", "a: invalid UTF-8 (line 1, column 7)" },
                { "{\"a\":\"\xe0\x80\x80\"}", "a: invalid UTF-8 (line 1, column 7)" },
                { "{\"a\":\"\xed\xa0\x80\"}", "a: invalid UTF-8 (line 1, column 7)" },
                { "{\"a\":\"\xf4\x90\x80\x80\"}", "a: invalid UTF-8 (line 1, column 7)" },
                { "{\"a\":\"\xe2\x82\"}", "a: invalid UTF-8 (line 1, column 7)" },
                { "\xef\xbb\xbf{}", "not valid JSON: unexpected character (line 1, column 1)" },
                { "{\"a\":1,\n\"a\":2}", "a: given twice (line 2, column 5)" },
                { "{\"x\":[{},{\"a\":1,\"b\":{\"a\":1},\"a\":2}],\"a\":1}",
                  "x[1].a: given twice (line 1, column 33)" },
                { "{\"a\":1,\"\\u0061\":2}", "a property is given twice" },
        };

        TEST("the text is JSON and nothing more");
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                expect_error(bad[i].text, strlen(bad[i].text), EINVAL, bad[i].error);
        expect_error("{}\0", 3, EINVAL, "a NUL character (line 1, column 3)");
        expect_error("{\"a\":\"b\0c\"}", 11, EINVAL,
                     "a: a string must not contain a NUL character (line 1, column 8)");
}

static void test_limits(void) {
        _cleanup_free_ char *text = xmalloc0(JSON_SIZE_MAX + 1);
        _cleanup_text_ Text expected = {};

        TEST("depth and size have limits");
        memset(text, ' ', JSON_SIZE_MAX + 1);
        expect_error(text, JSON_SIZE_MAX + 1, EINVAL, "the document has more than 16777216 bytes");
        expect_error(text, JSON_SIZE_MAX, EINVAL, "not valid JSON: unexpected end (line 1, column 16777217)");
        memset(text, '[', JSON_DEPTH_MAX + 1);
        for (size_t i = 0; i < JSON_DEPTH_MAX; i++)
                text_add(&expected, "[0]");
        text_add(&expected, ": nested too deeply (line 1, column 65)");
        expect_error(text, 1000, EINVAL, expected.s);
}

static void test_values(void) {
        static const struct { const char *text, *error; int code; } bad[] = {
                { "{\"b\":1}", "b: expected a boolean, got an integer" },
                { "{\"b\":\"true\"}", "b: expected a boolean, got a string" },
                { "{\"ob\":0}", "ob: expected a boolean, got an integer" },
                { "{\"u64\":\"7\"}", "u64: expected an integer, got a string" },
                { "{\"u64\":1.5}", "u64: expected an integer, got 1.5" },
                { "{\"u64\":1.0}", "u64: expected an integer, got 1.0" },
                { "{\"u64\":1e3}", "u64: expected an integer, got 1e3" },
                { "{\"u64\":true}", "u64: expected an integer, got a boolean" },
                { "{\"u64\":[7]}", "u64: expected an integer, got an array" },
                { "{\"u64\":{}}", "u64: expected an integer, got an object" },
                { "{\"u64\":-1}", "u64: -1 is out of range (0 to 18446744073709551615)" },
                { "{\"ou64\":-1}", "ou64: -1 is out of range (0 to 18446744073709551615)" },
                { "{\"i64\":9223372036854775808}",
                  "i64: 9223372036854775808 is out of range (-9223372036854775808 to 9223372036854775807)" },
                { "{\"oi64\":-2}", "oi64: -2 is out of range (-1 to 9223372036854775807)" },
                { "{\"u32\":4294967296}", "u32: 4294967296 is out of range (0 to 4294967295)" },
                { "{\"u32\":-1}", "u32: -1 is out of range (0 to 4294967295)" },
                { "{\"narrow\":4}", "narrow: 4 is out of range (5 to 7)" },
                { "{\"narrow\":8}", "narrow: 8 is out of range (5 to 7)" },
                { "{\"narrow\":-1}", "narrow: -1 is out of range (5 to 7)" },
                { "{\"i32\":2147483648}", "i32: 2147483648 is out of range (-2147483648 to 2147483647)" },
                { "{\"i32\":-2147483649}", "i32: -2147483649 is out of range (-2147483648 to 2147483647)" },
                { "{\"oi32\":20}", "oi32: 20 is out of range (-20 to 19)" },
                { "{\"oi32\":-21}", "oi32: -21 is out of range (-20 to 19)" },
                { "{\"u16\":65536}", "u16: 65536 is out of range (0 to 65535)" },
                { "{\"s\":7}", "s: expected a string, got an integer" },
                { "{\"s\":[]}", "s: expected a string, got an array" },
                { "{\"path\":\"x\"}", "path: \"x\" is not an absolute path" },
                { "{\"path\":\"a\\u001b[1m\\n\"}", "path: \"a\\x1b[1m\\x0a\" is not an absolute path" },
                { "{\"word\":\"three\"}", "word: unknown value \"three\", expected one or two" },
                { "{\"strings\":\"x\"}", "strings: expected an array, got a string" },
                { "{\"strings\":[]}", "strings: must have at least one element" },
                { "{\"strings\":[\"a\",null]}", "strings[1]: expected a string, got null" },
                { "{\"strings\":[\"a\",1]}", "strings[1]: expected a string, got an integer" },
                { "{\"never\":{}}", "never: expected an array, got an object" },
                { "{\"name\":\"one\"}", "name: unknown value \"one\", did you mean ONE?" },
                { "{\"name\":1}", "name: expected a string, got an integer" },
                { "{\"bits\":[\"ONE\",\"X\"]}", "bits[1]: unknown value \"X\", expected ONE, TWO or FOUR" },
                { "{\"bits\":\"ONE\"}", "bits: expected an array, got a string" },
                { "{\"numbers\":[1,\"2\"]}", "numbers[1]: expected an integer, got a string" },
                { "{\"numbers\":[-1]}", "numbers[0]: -1 is out of range (0 to 4294967295)" },
                { "{\"inner\":{}}", "inner.a: missing" },
                { "{\"inner\":{\"a\":null}}", "inner.a: missing" },
                { "{\"inner\":[]}", "inner: expected an object, got an array" },
                { "{\"pointer\":{\"s\":\"x\"}}", "pointer.a: missing" },
                { "{\"array\":{}}", "array: expected an array, got an object" },
                { "{\"array\":[{\"a\":1},{}]}", "array[1].a: missing" },
                { "{\"array\":[{\"a\":1},null]}", "array[1]: expected an object, got null" },
                { "{\"map\":[]}", "map: expected an object, got an array" },
                { "{\"map\":{\"a.b\":1}}", "map[\"a.b\"]: expected a string, got an integer" },
                { "{\"map\":{\"a\\\"\\n\":1}}", "map[\"a\\x22\\x0a\"]: expected a string, got an integer" },
                { "{\"map\":{\"\":null}}", "map[\"\"]: expected a string, got null" },
                { "{\"objects\":{\"x\":{\"a\":\"1\"}}}", "objects.x.a: expected an integer, got a string" },
                { "{\"objects\":{\"x\":null}}", "objects.x: expected an object, got null" },
                { "{\"refused\":{}}", "refused: not supported: a reason", EOPNOTSUPP },
        };

        TEST("values have the type, sign and range of their row");
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                expect_error(bad[i].text, strlen(bad[i].text), bad[i].code ?: EINVAL, bad[i].error);
}

static void test_good(void) {
        static const char text[] =
                "{\"b\":true,\"ob\":false,\"u64\":18446744073709551615,\"i64\":-9223372036854775808,"
                "\"u32\":4294967295,\"narrow\":5,\"i32\":-2147483648,\"u16\":65535,"
                "\"ou64\":0,\"oi64\":-1,\"oi32\":19,"
                "\"s\":\"\xc3\xa4\\u00e4\\n\\\"\\uD83D\\uDE00\",\"path\":\"/\",\"word\":\"two\","
                "\"strings\":[\"\",\"b\"],"
                "\"name\":\"TWO\",\"bits\":[\"ONE\",\"FOUR\",\"ONE\"],\"numbers\":[3,4],\"inner\":{\"a\":1},"
                "\"pointer\":{\"a\":2,\"s\":\"p\"},\"array\":[{\"a\":3,\"x\":[{}]},{\"a\":4}],"
                "\"map\":{\"\":\"\",\"k\":\"v\"},\"objects\":{\"o\":{\"a\":5},\"p\":{}},\"ignored\":1.5e3,"
                "\"unknown\":[0.5,-0,null,{\"b\":1}]} \r\n\t";
        _cleanup_(arena_done) Arena arena = {};
        struct json_object *document = NULL;
        Error e = {};
        Outer o;

        TEST("good values arrive");
        ASSERT_EQ(read_outer(&arena, text, sizeof(text) - 1, &document, &o, &e), 0);
        ASSERT(o.b && o.ob.set && !o.ob.v);
        ASSERT(o.u64 == UINT64_MAX && o.i64 == INT64_MIN && o.u32 == UINT32_MAX && o.i32 == INT32_MIN);
        ASSERT(o.narrow == 5 && o.u16 == UINT16_MAX && o.ou64.set && o.ou64.v == 0);
        ASSERT(o.oi64.set && o.oi64.v == -1 && o.oi32.v == 19);
        ASSERT_STR(o.s, "\xc3\xa4\xc3\xa4\n\"\xf0\x9f\x98\x80");
        ASSERT_STR(o.path, "/");
        ASSERT_STR(o.word, "two");
        ASSERT_EQ(o.n_strings, 2);
        ASSERT_STR(o.strings[0], "");
        ASSERT_STR(o.strings[1], "b");
        ASSERT_STR(o.strings[2], NULL);
        ASSERT(o.never && !o.never[0]);
        ASSERT(o.name == 2 && o.bits == 5);
        ASSERT(o.n_numbers == 2 && o.numbers[0] == 3 && o.numbers[1] == 4);
        ASSERT(o.inner.a == 1 && o.pointer->a == 2 && o.n_array == 2 && o.array[1].a == 4);
        ASSERT_STR(o.pointer->s, "p");
        ASSERT_EQ(o.n_map, 2);
        ASSERT_STR(o.map[0].key, "");
        ASSERT_STR(o.map[1].value, "v");
        ASSERT(o.n_objects == 2 && o.objects[0].a == 5);
        ASSERT_STR(o.objects[1].key, "p");
        json_free(document);
}

static void test_absent(void) {
        static const char text[] =
                "{\"b\":null,\"ob\":null,\"u64\":null,\"s\":null,\"path\":\"\",\"word\":\"\",\"strings\":null,"
                "\"never\":null,\"numbers\":[],\"pointer\":null,\"array\":null,\"map\":{},\"refused\":null}";
        _cleanup_(arena_done) Arena arena = {};
        struct json_object *document = NULL;
        Error e = {};
        Outer o;

        TEST("null and, for a string, \"\" are as good as nothing");
        ASSERT_EQ(read_outer(&arena, text, sizeof(text) - 1, &document, &o, &e), 0);
        ASSERT(!o.b && !o.ob.set && o.u64 == 0 && !o.s && !o.path && !o.word && !o.strings && o.n_strings == 0);
        ASSERT(o.never && !o.never[0] && o.n_numbers == 0 && !o.pointer && !o.array && o.n_map == 0);
        json_free(document);
}

int main(void) {
        test_text();
        test_limits();
        test_values();
        test_good();
        test_absent();
        return 0;
}
