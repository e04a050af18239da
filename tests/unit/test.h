/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Checks that say what was seen. A failed check ends the test program. */
#define FAIL_AT(...)                                            \
        do {                                                    \
                fprintf(stderr, "%s:%d: ", __FILE__, __LINE__); \
                fprintf(stderr, __VA_ARGS__);                   \
                fputc('\n', stderr);                            \
                exit(1);                                        \
        } while (0)

#define ASSERT(expr)                                  \
        do {                                          \
                if (!(expr))                          \
                        FAIL_AT("not true: %s", #expr); \
        } while (0)

#define ASSERT_EQ(a, b)                                                                 \
        do {                                                                            \
                long long _a = (long long) (a), _b = (long long) (b);                   \
                if (_a != _b)                                                           \
                        FAIL_AT("%s is %lld, expected %s = %lld", #a, _a, #b, _b);      \
        } while (0)

#define ASSERT_STR(a, b)                                                                                     \
        do {                                                                                                 \
                const char *_a = (a), *_b = (b);                                                             \
                if (!_a || !_b ? _a != _b : strcmp(_a, _b) != 0)                                             \
                        FAIL_AT("%s is \"%s\", expected \"%s\"", #a, _a ? _a : "(null)", _b ? _b : "(null)"); \
        } while (0)

/* Names a group of checks in the output, so that a failure says where it belongs. */
#define TEST(name) fprintf(stderr, "- %s\n", name)
