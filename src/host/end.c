/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/end.h"

#include <unistd.h>

#include "basic/file.h"

#define EXIT "exit"
#define FAILURE "failure"
#define FILE_MAX_BYTES 65536U

int end_keep(const Container *c, const Exit *e, Error *reterr) {
        _cleanup_text_ Text text = {};
        int r;

        exit_encode(e, &text);
        r = write_file_atomic_at(c->dir, EXIT, text.s, text.n, 0600);
        return r < 0 ? error_errnof(reterr, r, "cannot write down the end of container %s", c->id) : 0;
}

int end_read(const Container *c, Arena *a, Exit *ret) {
        _cleanup_free_ char *bytes = NULL;
        int r = read_file_at(c->dir, EXIT, FILE_MAX_BYTES, &bytes, NULL);

        return r < 0 ? r : exit_decode(bytes, a, ret);
}

void end_keep_failure(const Container *c, const char *message) {
        (void) write_file_atomic_at(c->dir, FAILURE, message, strlen(message), 0600);
}

const char *end_read_failure(const Container *c, Arena *a) {
        _cleanup_free_ char *text = NULL;

        return read_file_at(c->dir, FAILURE, FILE_MAX_BYTES, &text, NULL) == 0 ? arena_strdup(a, text) : NULL;
}

void end_forget(const Container *c) {
        (void) unlinkat(c->dir, EXIT, 0);
        (void) unlinkat(c->dir, FAILURE, 0);
}
