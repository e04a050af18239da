/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "basic/null.h"
#include "helper/credentials.h"
#include "helper/steps.h"

/* The host's null device would get the owner and the mode that the container gives its standard input, and leads who has
 * CAP_DAC_READ_SEARCH to all that lies in the host's /dev. The container's own does as well, if that is what has its name. That
 * there is none, and none can be made (devices of a cgroup are forbidden with CAP_BPF, too), may be the container's doing. In a
 * user namespace none can be made: the launcher has, before. */
static int replace_null(int fd, bool in_userns) {
        int mode = fcntl(fd, F_GETFL) & O_ACCMODE;
        _cleanup_close_ int own =
                open_at(AT_FDCWD, "/dev/null", mode | O_NONBLOCK | O_NOCTTY, 0, RESOLVE_NO_SYMLINKS); /* own */

        if (own < 0 || !fd_is_null(own)) {
                close_fd(own);
                own = open_new_null(mode);
        }
        if (own < 0)
                return in_userns ? 0 : own;
        return fcntl(own, F_SETFL, 0) < 0 || dup2(own, fd) < 0 ? -errno : 0;
}

/* Pipes are given to the process, so that it can open /dev/stdout again. Only these: files, devices and terminals that the
 * caller put on its descriptors stay their owners', as nobody would take them back. */
int step_stdio_owner(Helper *h, const InitStdioOwner *s, Error *e) {
        for (int fd = 0; fd <= 2; fd++) {
                int r = fd_is_null(fd) ? replace_null(fd, s->in_userns) : 0;

                if (r < 0)
                        return error_errnof(e, r, "make a null device for descriptor %d", fd);
                if (fd_is_pipe(fd))
                        (void) !fchown(fd, s->uid, s->gid);
        }
        return 0;
}

int step_bounding(Helper *h, const InitBounding *s, Error *e) {
        for (unsigned cap = 0; cap < 64; cap++) {
                int held = prctl(PR_CAPBSET_READ, cap);

                if (held < 0 && errno != EINVAL)
                        return error_errnof(e, errno, "look for capability %u in the bounding set", cap);
                if (held < 0) /* the kernel knows no more */
                        break;
                if (held > 0 && !(s->caps & 1ULL << cap) && prctl(PR_CAPBSET_DROP, cap) < 0)
                        return error_errnof(e, errno, "drop capability %u from the bounding set", cap);
        }
        return 0;
}

static int parse_groups(const char **list, gid_t **ret, size_t *ret_n) {
        size_t n = 0;
        gid_t *groups;

        while (list && list[n])
                n++;
        groups = xmalloc0(n * sizeof(*groups));
        for (size_t i = 0; i < n; i++)
                if (parse_u32(list[i], &groups[i]) < 0) {
                        free(groups);
                        return -EINVAL;
                }
        *ret = groups;
        *ret_n = n;
        return 0;
}

/* The capabilities stay as they are until INIT_CAPABILITIES: what comes in between may need them. */
int step_user(Helper *h, const InitUser *s, Error *e) {
        unsigned flags =
                (s->keep_groups ? CREDENTIALS_KEEP_GROUPS : 0) | (s->lenient_groups ? CREDENTIALS_GROUPS_LENIENT : 0);
        _cleanup_free_ gid_t *groups = NULL;
        CapabilitySets sets;
        size_t n;
        int r;

        r = parse_groups(s->groups, &groups, &n);
        if (r < 0)
                return error_errnof(e, r, "set additional groups");
        if (prctl(PR_SET_KEEPCAPS, 1) < 0)
                return error_errnof(e, errno, "keep capabilities");
        r = credentials_set(s->uid, s->gid, groups, n, flags);
        if (r < 0)
                return error_errnof(e, r, "become uid %u gid %u", s->uid, s->gid);
        if (prctl(PR_SET_KEEPCAPS, 0) < 0)
                return error_errnof(e, errno, "keep capabilities");
        r = capabilities_get(&sets);
        if (r >= 0) {
                sets.effective = sets.permitted;
                r = capabilities_set(&sets);
        }
        if (r < 0)
                return error_errnof(e, r, "keep capabilities");
        return credentials_hide(e);
}

/* Of the ambient ones those that can be: the kernel wants them permitted and inheritable. */
static int set_ambient(uint64_t mask) {
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
                return -errno;
        for (unsigned cap = 0; cap < 64; cap++)
                if ((mask & 1ULL << cap) && prctl(PR_CAPBSET_READ, cap) >= 0 &&
                    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
                        return -errno;
        return 0;
}

int step_capabilities(Helper *h, const InitCapabilities *s, Error *e) {
        CapabilitySets sets = { .effective = s->effective, .permitted = s->permitted, .inheritable = s->inheritable },
                       now;
        int r;

        r = capabilities_set(&sets);
        if (r >= 0)
                r = set_ambient(s->ambient & sets.permitted & sets.inheritable);
        if (r >= 0)
                r = capabilities_get(&now);
        if (r >= 0 && ((now.effective & ~sets.effective) || (now.permitted & ~sets.permitted) ||
                       (now.inheritable & ~sets.inheritable)))
                r = -EPERM;
        if (r < 0)
                return error_errnof(e, r, "set capabilities");
        return credentials_hide(e);
}

int step_no_new_privs(Helper *h, const InitNoNewPrivs *s, Error *e) {
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return error_errnof(e, errno, "set no_new_privs");
        return 0;
}
