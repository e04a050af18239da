/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/macro.h"

/*
 * One sentence a user can act on, made where the failure happens; callers only add a prefix on the way up
 * and the top prints it once. It is one line of UTF-8 whatever it quotes (text_add_printable()). Functions return a
 * negative errno; `code` is the same errno, positive. Who does not want to know gives NULL, which every function here
 * takes.
 *
 * The texts follow Go's spelling (lower case: "permission denied"), because engines match on it.
 */
typedef enum ErrorKind {
        ERROR_NONE,
#define KIND(kind, ...) ERROR_##kind,
#include "basic/error-kinds.def"
} ErrorKind;

typedef struct Error {
        int code;
        ErrorKind kind;
        char *message;
} Error;

#define _cleanup_error_ _cleanup_(error_done)

void error_done(Error *e);

/* Sets the error (unless one is set already, or e is NULL) and returns -code. */
int error_setf(Error *e, int code, const char *fmt, ...) _printf_(3, 4);

/* The same, with ": <description of code>" at the end. code may be given negative or positive. */
int error_errnof(Error *e, int code, const char *fmt, ...) _printf_(3, 4);

/* What somebody else has said, in his words: of kind SYSTEM. */
int error_passf(Error *e, int code, const char *fmt, ...) _printf_(3, 4);

/* The error becomes that of to, unless there is one. */
int error_move(Error *to, Error *from);

/* Puts "prefix: " before the message of what has failed; returns -e->code, and something negative if that is not known. */
int error_prefixf(Error *e, const char *fmt, ...) _printf_(2, 3);
/* A message about the path ("process.cwd: …", "process.user.uid: …") becomes one about what is given instead. */
void error_renamef(Error *e, const char *path, const char *fmt, ...) _printf_(3, 4);

/* Puts more after it; returns -e->code. */
int error_suffixf(Error *e, const char *fmt, ...) _printf_(2, 3);

/* Description of an errno as Go spells it: "no such file or directory". Never NULL. */
const char *errno_text(int code);
