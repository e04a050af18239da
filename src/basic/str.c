/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/str.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "basic/alloc.h"

#define BLANKS " \t\n"

char *strip(char *s) {
        size_t n;

        s += strspn(s, BLANKS);
        n = strlen(s);
        while (n > 0 && strchr(BLANKS, s[n - 1]))
                n--;
        s[n] = '\0';
        return s;
}

int parse_u64(const char *s, uint64_t *ret) {
        uint64_t v = 0;

        if (isempty(s))
                return -EINVAL;
        for (; *s; s++) {
                if (*s < '0' || *s > '9')
                        return -EINVAL;
                if (__builtin_mul_overflow(v, 10U, &v) || __builtin_add_overflow(v, (uint64_t) (*s - '0'), &v))
                        return -ERANGE;
        }
        *ret = v;
        return 0;
}

int parse_i64(const char *s, int64_t *ret) {
        bool negative = s && s[0] == '-';
        uint64_t v;
        int r;

        r = parse_u64(negative ? s + 1 : s, &v);
        if (r < 0)
                return r;
        if (v > (uint64_t) INT64_MAX + (negative ? 1 : 0))
                return -ERANGE;
        *ret = negative ? (int64_t) (0 - v) : (int64_t) v;
        return 0;
}

int parse_u32(const char *s, uint32_t *ret) {
        uint64_t v;
        int r;

        r = parse_u64(s, &v);
        if (r < 0)
                return r;
        if (v > UINT32_MAX)
                return -ERANGE;
        *ret = (uint32_t) v;
        return 0;
}

int parse_mode(const char *s, uint32_t *ret) {
        uint32_t v = 0;

        if (isempty(s))
                return -EINVAL;
        for (; *s; s++) {
                if (*s < '0' || *s > '7')
                        return -EINVAL;
                v = v * 8 + (uint32_t) (*s - '0');
                if (v > 07777)
                        return -ERANGE;
        }
        *ret = v;
        return 0;
}

static int parse_realtime_signal(const char *s) {
        uint32_t offset = 0;
        bool from_max = strncasecmp(s, "RTMAX", 5) == 0;
        int signo;

        if (s[5] != '\0' && (s[5] != (from_max ? '-' : '+') || parse_u32(s + 6, &offset) < 0))
                return -EINVAL;
        if (offset > (uint32_t) (SIGRTMAX - SIGRTMIN))
                return -EINVAL;
        signo = from_max ? SIGRTMAX - (int) offset : SIGRTMIN + (int) offset;
        return signo;
}

static bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

int parse_bits(const char *list, uint8_t *bits, size_t size) {
        unsigned long first, last, used = 0;
        char *end;

        for (const char *p = list + strspn(list, "," BLANKS); *p; p += strspn(p, "," BLANKS)) {
                if (!is_digit(*p))
                        return -EINVAL;
                first = last = strtoul(p, &end, 10);
                if (*end == '-' && is_digit(end[1]))
                        last = strtoul(end + 1, &end, 10);
                p = end + strspn(end, BLANKS);
                if (first > last || (*p != '\0' && *p != ','))
                        return -EINVAL;
                if (last >= 8 * size)
                        return -ERANGE;
                for (unsigned long i = first; i <= last; i++)
                        bits[i / 8] |= (uint8_t) (1U << (i % 8));
                used = MAX(used, last / 8 + 1);
        }
        return (int) used;
}

int parse_signal(const char *s) {
        uint32_t number;

        if (parse_u32(s, &number) == 0)
                return number >= 1 && number <= (uint32_t) SIGRTMAX ? (int) number : -EINVAL;
        if (!s)
                return -EINVAL;
        if (strncasecmp(s, "SIG", 3) == 0)
                s += 3;
        if (strncasecmp(s, "RTMIN", 5) == 0 || strncasecmp(s, "RTMAX", 5) == 0)
                return parse_realtime_signal(s);
        for (int signo = 1; signo < 32; signo++) {
                const char *name = sigabbrev_np(signo);

                if (name && strcasecmp(name, s) == 0)
                        return signo;
        }
        /* Old names of the same signals. */
        if (strcasecmp(s, "IOT") == 0)
                return SIGIOT;
        if (strcasecmp(s, "CLD") == 0)
                return SIGCHLD;
        return strcasecmp(s, "POLL") == 0 || strcasecmp(s, "IO") == 0 ? SIGIO : -EINVAL;
}

size_t utf8_length(const char *s, const char *end) {
        const unsigned char *p = (const unsigned char *) s;
        size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;

        if (n == 0 || (size_t) (end - s) < n)
                return 0;
        for (size_t i = 1; i < n; i++)
                if ((p[i] & 0xc0) != 0x80)
                        return 0;
        if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
            (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
                return 0;
        return n;
}

uint64_t hash_bytes(const void *bytes, size_t n) {
        const unsigned char *p = bytes;
        uint64_t h = 0xcbf29ce484222325;

        for (size_t i = 0; i < n; i++)
                h = (h ^ p[i]) * 0x100000001b3;
        return h;
}

void text_done(Text *t) {
        free(t->s);
        *t = (Text){};
}

void text_addn(Text *t, const char *s, size_t n) {
        if (t->room - t->n <= n) {
                t->room = MAX(2 * t->room, t->n + n + 128);
                t->s = xreallocarray(t->s, t->room, 1);
        }
        memcpy(t->s + t->n, s, n);
        t->n += n;
        t->s[t->n] = '\0';
}

void text_add(Text *t, const char *s) {
        text_addn(t, s, strlen(s));
}

void text_addf(Text *t, const char *fmt, ...) {
        _cleanup_free_ char *s = NULL;
        va_list ap;

        va_start(ap, fmt);
        s = xvasprintf(fmt, ap);
        va_end(ap);
        text_add(t, s);
}

void text_add_escaped(Text *t, const char *s, const char *also) {
        text_addn(t, "", 0);
        for (; *s; s++) {
                unsigned char c = (unsigned char) *s;

                if (c < 0x20 || c == 0x7f || c == '\\' || strchr(also, c))
                        text_addf(t, "\\x%02x", c);
                else
                        text_addn(t, s, 1);
        }
}

/* U+0080 to U+009F are control characters, too. */
static bool is_control(const unsigned char *p) {
        return p[0] < 0x20 || p[0] == 0x7f || (p[0] == 0xc2 && p[1] < 0xa0);
}

void text_add_printable(Text *t, const char *s) {
        const char *end = s + strlen(s);

        text_addn(t, "", 0);
        while (s < end) {
                size_t n = utf8_length(s, end);

                if (n == 0 || is_control((const unsigned char *) s)) {
                        n = MAX(n, (size_t) 1);
                        for (size_t i = 0; i < n; i++)
                                text_addf(t, "\\x%02x", (unsigned char) s[i]);
                } else
                        text_addn(t, s, n);
                s += n;
        }
}

void text_add_json_string(Text *t, const char *s) {
        text_add(t, "\"");
        for (; *s; s++)
                if (*s == '"' || *s == '\\') {
                        text_add(t, "\\");
                        text_addn(t, s, 1);
                } else if ((unsigned char) *s < 0x20)
                        text_addf(t, "\\u%04x", (unsigned char) *s);
                else
                        text_addn(t, s, 1);
        text_add(t, "\"");
}

static int hex_digit(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -EINVAL;
}

int unescape(char *s) {
        char *to = s;

        for (; *s; s++) {
                int high, low;

                if (*s != '\\') {
                        *to++ = *s;
                        continue;
                }
                if (s[1] != 'x' || (high = hex_digit(s[2])) < 0 || (low = hex_digit(s[3])) < 0 || high + low == 0)
                        return -EINVAL;
                *to++ = (char) (high * 16 + low);
                s += 3;
        }
        *to = '\0';
        return 0;
}
