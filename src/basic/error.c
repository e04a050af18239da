/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/error.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/alloc.h"
#include "basic/str.h"

void error_done(Error *e) {
        if (!e)
                return;
        free(e->message);
        *e = (Error){};
}

const char *errno_text(int code) {
        static _Thread_local char text[128];
        const char *description = abs(code) == EINTR ? "interrupted by a signal" : strerrordesc_np(abs(code));

        if (!description)
                snprintf(text, sizeof(text), "error %d", abs(code));
        else {
                snprintf(text, sizeof(text), "%s", description);
                /* "Input/output error" becomes "input/output error", but "RFS specific error" stays. */
                if (islower((unsigned char) text[1]))
                        text[0] = (char) tolower((unsigned char) text[0]);
        }
        return text;
}

/* Sentences quote what they were given, which may be anything. */
__attribute__((format(printf, 1, 0))) static char *sentence(const char *fmt, va_list ap) {
        _cleanup_free_ char *text = NULL;
        Text printable = {};

        text = xvasprintf(fmt, ap);
        text_add_printable(&printable, text);
        return printable.s;
}

static ErrorKind kind_of(int code) {
        static const struct {
                ErrorKind kind;
                int code;
        } kinds[] = {
#define KIND(kind, code, ...) { ERROR_##kind, code },
#include "basic/error-kinds.def"
        };

        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (kinds[i].code == code)
                        return kinds[i].kind;
        return ERROR_SYSTEM;
}

__attribute__((format(printf, 4, 0))) static int set(Error *e, ErrorKind kind, int code, const char *fmt, va_list ap) {
        if (!e || e->code != 0)
                return -abs(code);
        *e = (Error){ .code = abs(code), .kind = kind, .message = sentence(fmt, ap) };
        return -e->code;
}

int error_setf(Error *e, int code, const char *fmt, ...) {
        va_list ap;
        int r;

        va_start(ap, fmt);
        r = set(e, kind_of(abs(code)), code, fmt, ap);
        va_end(ap);
        return r;
}

int error_passf(Error *e, int code, const char *fmt, ...) {
        va_list ap;
        int r;

        va_start(ap, fmt);
        r = set(e, ERROR_SYSTEM, code, fmt, ap);
        va_end(ap);
        return r;
}

int error_errnof(Error *e, int code, const char *fmt, ...) {
        _cleanup_free_ char *text = NULL;
        va_list ap;

        va_start(ap, fmt);
        text = xvasprintf(fmt, ap);
        va_end(ap);
        return error_passf(e, code, "%s: %s", text, errno_text(code));
}

int error_move(Error *to, Error *from) {
        int r = -from->code;

        if (to && to->code == 0) {
                *to = *from;
                *from = (Error){};
        }
        return r;
}

int error_prefixf(Error *e, const char *fmt, ...) {
        _cleanup_free_ char *prefix = NULL, *old = NULL;
        va_list ap;

        if (!e || e->code == 0)
                return -EIO;
        va_start(ap, fmt);
        prefix = sentence(fmt, ap);
        va_end(ap);
        old = TAKE_PTR(e->message);
        e->message = xasprintf("%s: %s", prefix, old);
        return -e->code;
}

int error_suffixf(Error *e, const char *fmt, ...) {
        _cleanup_free_ char *suffix = NULL, *old = NULL;
        va_list ap;

        if (!e || e->code == 0)
                return 0;
        va_start(ap, fmt);
        suffix = sentence(fmt, ap);
        va_end(ap);
        old = TAKE_PTR(e->message);
        e->message = xasprintf("%s%s", old, suffix);
        return -e->code;
}

void error_renamef(Error *e, const char *path, const char *fmt, ...) {
        _cleanup_free_ char *name = NULL, *old = NULL;
        size_t n = strlen(path);
        va_list ap;

        if (e->code == 0 || strncmp(e->message, path, n) != 0 || !strchr(":.[", e->message[n]))
                return;
        va_start(ap, fmt);
        name = sentence(fmt, ap);
        va_end(ap);
        old = TAKE_PTR(e->message);
        e->message = xasprintf("%s%s", name, old + n + strcspn(old + n, ":"));
}
