/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/end.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "host/service.h"

#define EXIT "exit"
#define FAILURE "failure"
#define FILE_MAX_BYTES 65536U

int end_keep(const Container *c, const Exit *e, Error *reterr) {
        _cleanup_close_ int fd = openat(c->dir, EXIT, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
        _cleanup_text_ Text text = {};
        int r;

        exit_encode(e, &text);
        r = fd < 0 ? -errno : write_full(fd, text.s, text.n);
        return r < 0 ? error_errnof(reterr, r, "cannot write down the end of container %s", c->id) : 0;
}

int end_open(const Container *c) {
        int fd = openat(c->dir, EXIT, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

int end_read(int fd, Arena *a, Exit *ret) {
        _cleanup_free_ char *bytes = NULL;
        int r = fd < 0 ? -ENOENT : 0;

        if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
                r = -errno;
        if (r == 0)
                r = read_file_fd(fd, FILE_MAX_BYTES, &bytes, NULL);
        if (r == 0 && isempty(bytes))
                r = -ENOENT;
        return r < 0 ? r : exit_decode(bytes, a, ret);
}

/* Who is called for that comes later, or never came to it. */
static int ask_systemd(const Container *c, Arena *a, Exit *ret) {
        _cleanup_manager_ Manager *m = NULL;
        int r = home_is_supervised(c->record.home) ? manager_open(c->caller, c->record.user_manager, &m, NULL)
                                                   : -ENOENT;

        if (r == 0)
                r = service_read_end(m, c->record.unit, a, ret, NULL);
        return r == 0 && !streq_null(ret->invocation, c->record.invocation_id) ? -ENOENT : r;
}

int end_find(const Container *c, int fd, Arena *a, Exit *ret) {
        int r = end_read(fd, a, ret);

        if (r < 0)
                r = ask_systemd(c, a, ret);
        return r < 0 ? end_read(fd, a, ret) : r; /* it may have come meanwhile, and systemd have forgotten it */
}

void end_keep_failure(const Container *c, const char *message) {
        (void) write_file_atomic_at(c->dir, FAILURE, message, strlen(message), 0600);
}

const char *end_read_failure(const Container *c, Arena *a) {
        _cleanup_free_ char *text = NULL;

        return read_file_at(c->dir, FAILURE, FILE_MAX_BYTES, &text, NULL) == 0 ? arena_strdup(a, text) : NULL;
}

void end_forget_failure(const Container *c) {
        (void) unlinkat(c->dir, FAILURE, 0);
}

void end_expect(const Container *c) {
        (void) unlinkat(c->dir, EXIT, 0);
        end_forget_failure(c);
        close_fd(openat(c->dir, EXIT, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
}
