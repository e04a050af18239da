/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/filter.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "basic/log.h"
#include "host/seccomp.h"
#include "host/trust.h"

#define CACHE_DIRECTORY ".seccomp"
#define FILTER_MAX_BYTES (16UL * 1024 * 1024)

/* More than any host has profiles; a host that makes a new profile for each container starts over now and then. */
#define CACHE_MAX_ENTRIES 64

void filter_done(Filter *f) {
        free(f->bytes);
        *f = (Filter){};
}

/* The size of the key, the key, the names that are left out as one string, the filter. Takes the bytes if they are of
 * that key. */
static bool take_file(char **bytes, size_t n, const Text *key, Filter *ret) {
        const char *names = *bytes + sizeof(uint64_t) + key->n, *end = *bytes + n;
        uint64_t key_size;

        if (n <= sizeof(key_size) + key->n)
                return false;
        memcpy(&key_size, *bytes, sizeof(key_size));
        if (key_size != key->n || memcmp(*bytes + sizeof(key_size), key->s, key->n) != 0)
                return false;
        ret->bpf = memchr(names, '\0', (size_t) (end - names));
        if (!ret->bpf || ++ret->bpf == end)
                return false;
        ret->size = (size_t) (end - ret->bpf);
        ret->unknown = isempty(names) ? NULL : names;
        ret->bytes = TAKE_PTR(*bytes);
        return true;
}

static bool read_cached(int dir, const char *name, const Text *key, Filter *ret) {
        _cleanup_free_ char *bytes = NULL;
        size_t n;

        return read_file_at(dir, name, FILTER_MAX_BYTES, &bytes, &n) >= 0 && take_file(&bytes, n, key, ret);
}

static void make_room(int dir) {
        struct dirent *entry;
        unsigned n = 0;
        int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *d = copy < 0 ? NULL : fdopendir(copy);

        while (d && readdir(d))
                n++;
        if (d && n > CACHE_MAX_ENTRIES) {
                rewinddir(d);
                while ((entry = readdir(d)))
                        if (entry->d_name[0] != '.')
                                (void) unlinkat(dir, entry->d_name, 0);
        }
        if (d)
                closedir(d);
}

static int make_file(const SpecSeccomp *seccomp, const Text *key, Text *ret, Error *reterr) {
        _cleanup_text_ Text unknown = {};
        _cleanup_free_ void *bpf = NULL;
        uint64_t key_size = key->n;
        size_t size;
        int r;

        r = seccomp_compile(seccomp, &bpf, &size, &unknown, reterr);
        if (r < 0)
                return r;
        text_addn(ret, (const char *) &key_size, sizeof(key_size));
        text_addn(ret, key->s, key->n);
        text_addn(ret, unknown.n > 0 ? unknown.s : "", unknown.n + 1);
        text_addn(ret, bpf, size);
        return 0;
}

/* One that others may have written to is as good as none. */
static int open_cache(const Store *store) {
        _cleanup_close_ int dir = openat(store->fd, CACHE_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        return dir >= 0 && trust_directory(dir, CACHE_DIRECTORY, NULL) == 0 ? TAKE_FD(dir) : -EBADF;
}

int filter_get(const Store *store, const SpecSeccomp *seccomp, Filter *ret, Error *reterr) {
        _cleanup_text_ Text key = {}, file = {};
        _cleanup_close_ int dir = -EBADF;
        uint64_t begin = now_usec();
        char name[32];
        int r;

        *ret = (Filter){};
        if (!seccomp)
                return 0;
        seccomp_cache_key(seccomp, &key);
        /* Only a name: the key itself is compared in full, so that a collision costs a compilation and nothing else. */
        snprintf(name, sizeof(name), "%016llx", (unsigned long long) hash_bytes(key.s, key.n));
        dir = open_cache(store);
        if (dir >= 0 && read_cached(dir, name, &key, ret))
                return 0;
        r = make_file(seccomp, &key, &file, reterr);
        if (r < 0)
                return r;
        log_debug("seccomp: compiled in %.1f ms, %zu bytes with the profile", log_msec_since(begin), file.n);
        if (dir < 0 && mkdirat(store->fd, CACHE_DIRECTORY, 0700) == 0)
                dir = open_cache(store);
        if (dir >= 0) {
                make_room(dir);
                (void) write_file_atomic_at(dir, name, file.s, file.n, 0600);
        }
        (void) take_file(&file.s, file.n, &key, ret);
        return 0;
}
