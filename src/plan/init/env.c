/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>

#include "plan/init/internal.h"

static int compare_env(const void *a, const void *b) {
        const char *const *x = *(const char *const *const *) a, *const *y = *(const char *const *const *) b;
        size_t n = strcspn(*x, "="), m = strcspn(*y, "=");
        int r = memcmp(*x, *y, MIN(n, m));

        if (r != 0)
                return r;
        if (n != m)
                return n < m ? -1 : 1;
        return x < y ? -1 : x > y;
}

/* Of names that come twice the last one counts, as with assignments; programs do not agree on that when they see
 * both. */
static void drop_duplicates(Arena *a, const char **env, size_t n) {
        const char ***sorted = arena_calloc(a, n, sizeof(*sorted));
        size_t kept = 0;

        for (size_t i = 0; i < n; i++)
                sorted[i] = &env[i];
        qsort(sorted, n, sizeof(*sorted), compare_env);
        for (size_t i = 0; i + 1 < n; i++) {
                size_t name = strcspn(*sorted[i], "=");

                if (name == strcspn(*sorted[i + 1], "=") && memcmp(*sorted[i], *sorted[i + 1], name) == 0)
                        *sorted[i] = NULL;
        }
        for (size_t i = 0; i < n; i++)
                if (env[i])
                        env[kept++] = env[i];
        env[kept] = NULL;
}

static size_t count(const char **list) {
        size_t n = 0;

        while (list && list[n])
                n++;
        return n;
}

static size_t add_all(const char **to, size_t n, const char **list) {
        for (; *list; list++)
                to[n++] = *list;
        return n;
}

/* HOME and LISTEN_PID are the helper's to add: the container's /etc/passwd has the one, the other is its own pid. */
const char **build_env(InitBuild *b) {
        const ServiceGift *gift = b->request ? &b->request->gift : NULL;
        const char **env = arena_calloc(b->arena, count(b->process->env) + count(gift ? gift->environment : NULL) + 5,
                                        sizeof(*env)); /* four more, and the end */
        size_t n = add_all(env, 0, b->process->env);

        if (gift && gift->environment)
                n = add_all(env, n, gift->environment);
        if (b->listen_fds > 0) {
                env[n++] = arena_printf(b->arena, "LISTEN_FDS=%u", b->listen_fds);
                if (b->listen_fd_names)
                        env[n++] = arena_printf(b->arena, "LISTEN_FDNAMES=%s", b->listen_fd_names);
        }
        if (b->notifies)
                env[n++] = "NOTIFY_SOCKET=" BUILD_NOTIFY_DIRECTORY "/" BUILD_NOTIFY_NAME;
        if (b->has_credentials)
                env[n++] = "CREDENTIALS_DIRECTORY=" BUILD_CREDENTIALS_DIRECTORY;
        drop_duplicates(b->arena, env, n);
        return env;
}
