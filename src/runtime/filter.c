/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/filter.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "basic/log.h"
#include "host/trust.h"
#include "plan/seccomp.h"

#define CACHE_DIRECTORY ".seccomp"
#define FILTER_MAX_BYTES (16UL * 1024 * 1024)

/* More than any host has profiles; a host that makes a new profile for each container starts over now and then. */
#define CACHE_MAX_ENTRIES 64

void filter_done(Filter *f) {
        free(f->bytes);
        *f = (Filter){};
}

/* FNV-1a. Only a file name: the key itself is compared in full, so that a collision costs a compilation and
 * nothing else. */
static uint64_t hash(const Text *key) {
        uint64_t h = 0xcbf29ce484222325;

        for (size_t i = 0; i < key->n; i++)
                h = (h ^ (unsigned char) key->s[i]) * 0x100000001b3;
        return h;
}

static bool read_cached(int dir, const char *name, const Text *key, Filter *ret) {
        _cleanup_free_ char *bytes = NULL;
        uint64_t key_size;
        size_t n;

        if (read_file_at(dir, name, FILTER_MAX_BYTES, &bytes, &n) < 0 || n < sizeof(key_size))
                return false;
        memcpy(&key_size, bytes, sizeof(key_size));
        if (key_size != key->n || n - sizeof(key_size) <= key->n ||
            memcmp(bytes + sizeof(key_size), key->s, key->n) != 0)
                return false;
        ret->bpf = bytes + sizeof(key_size) + key->n;
        ret->size = n - sizeof(key_size) - key->n;
        ret->bytes = TAKE_PTR(bytes);
        return true;
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

static void write_cached(int dir, const char *name, const Text *key, const void *bpf, size_t size) {
        _cleanup_text_ Text file = {};
        uint64_t key_size = key->n;

        make_room(dir);
        text_addn(&file, (const char *) &key_size, sizeof(key_size));
        text_addn(&file, key->s, key->n);
        text_addn(&file, bpf, size);
        (void) write_file_atomic_at(dir, name, file.s, file.n, 0600);
}

/* One that others may have written to is as good as none. */
static int open_cache(const Store *store) {
        _cleanup_close_ int dir = openat(store->fd, CACHE_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        return dir >= 0 && trust_directory(dir, CACHE_DIRECTORY, NULL) == 0 ? TAKE_FD(dir) : -EBADF;
}

int filter_get(const Store *store, const SpecSeccomp *seccomp, Filter *ret, Error *reterr) {
        _cleanup_close_ int dir = -EBADF;
        _cleanup_text_ Text key = {};
        void *bpf = NULL;
        uint64_t begin = now_usec();
        char name[32];
        size_t size;
        int r;

        *ret = (Filter){};
        if (!seccomp)
                return 0;
        seccomp_cache_key(seccomp, &key);
        snprintf(name, sizeof(name), "%016llx", (unsigned long long) hash(&key));
        dir = open_cache(store);
        if (dir >= 0 && read_cached(dir, name, &key, ret))
                return 0;
        r = seccomp_compile(seccomp, &bpf, &size, reterr);
        if (r < 0)
                return r;
        log_debug("seccomp: compiled in %.1f ms, %zu bytes", log_msec_since(begin), size);
        if (dir < 0 && mkdirat(store->fd, CACHE_DIRECTORY, 0700) == 0)
                dir = open_cache(store);
        if (dir >= 0)
                write_cached(dir, name, &key, bpf, size);
        *ret = (Filter){ .bytes = bpf, .bpf = bpf, .size = size };
        return 0;
}
