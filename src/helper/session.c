/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <linux/keyctl.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "basic/fd.h"
#include "helper/steps.h"
#include "helper/talk.h"

/* Of a session keyring (keyctl_setperm(3)): all to its possessor. To its user, who is that of other containers too, the
 * search, without which nobody joins it by its name; no view, which would show the name in /proc/keys. */
#define KEY_POSSESSOR_ALL 0x3f000000UL
#define KEY_USER_SEARCH 0x00080000UL

int step_setsid(Helper *h, const InitSetsid *s, Error *e) {
        if (setsid() < 0 && errno != EPERM) /* EPERM: we lead one already */
                return error_errnof(e, errno, "create session");
        return 0;
}

/* One that is just made grants its user no search yet; one that was found by its name does. */
static int look_at_keyring(uid_t *ret_uid, bool *ret_found, Error *e) {
        char text[512]; /* "keyring;UID;GID;PERMISSIONS;NAME" */
        unsigned permissions;
        long n = syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, text, sizeof(text));

        if (n < 0)
                return error_errnof(e, errno, "look at the session keyring");
        if (n > (long) sizeof(text) || sscanf(text, "keyring;%u;%*u;%x;", ret_uid, &permissions) != 2)
                return error_errnof(e, EBADMSG, "look at the session keyring");
        *ret_found = permissions & KEY_USER_SEARCH;
        return 0;
}

/* maker is our real uid now, and owner will be again. */
static int join_keyring(const InitKeyring *s, uid_t maker, uid_t owner, Error *e) {
        unsigned long permissions = KEY_POSSESSOR_ALL | (s->name ? KEY_USER_SEARCH : 0);
        uid_t uid = owner;
        bool found = false;
        int r;

        if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, s->name) < 0)
                return errno == ENOSYS ? 0 /* a kernel without keys has none that could leak */
                                       : error_errnof(e, errno, "join session keyring");
        r = look_at_keyring(&uid, &found, e);
        if (r < 0)
                return r;
        if (uid != (found ? owner : maker) || (found && !s->shared))
                return error_setf(e, EEXIST, "join session keyring: somebody else has made it");
        if (found)
                return 0;
        if (syscall(SYS_keyctl, KEYCTL_SETPERM, KEY_SPEC_SESSION_KEYRING, permissions) < 0 ||
            (maker != owner && syscall(SYS_keyctl, KEYCTL_CHOWN, KEY_SPEC_SESSION_KEYRING, owner, -1) < 0))
                return error_errnof(e, errno, "set permissions of the session keyring");
        return 0;
}

/* The kernel makes a keyring that its user sees, with its name, until we forbid it: meanwhile that is a user whom nobody
 * can be but by chance. In a user namespace nothing can be given back, and whoever else is in there may see it. */
int step_keyring(Helper *h, const InitKeyring *s, Error *e) {
        uid_t owner = getuid(), maker = owner;
        int r;

        if (!s->in_userns && (getrandom(&maker, sizeof(maker), 0) != sizeof(maker) || setresuid(maker, -1, -1) < 0))
                maker = owner;
        r = join_keyring(s, maker, owner, e);
        if (r == 0 && maker != owner && setresuid(owner, -1, -1) < 0)
                r = error_errnof(e, errno, "become uid %u again", owner);
        return r;
}

int step_loopback(Helper *h, const InitLoopback *s, Error *e) {
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0); /* any family will do */
        struct ifreq request = { .ifr_name = "lo" };

        if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) < 0)
                return error_errnof(e, errno, "find loopback interface");
        request.ifr_flags |= IFF_UP;
        if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
                return error_errnof(e, errno, "bring loopback interface up");
        return 0;
}

/* Which ones, and what is theirs, is for the launcher, who is still where they are. */
int step_net_devices(Helper *h, const InitNetDevices *s, Error *e) {
        _cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
        int r;

        if (fd < 0)
                return error_errnof(e, errno, "open a socket in the container's network namespace");
        r = talk_send(h, INIT_MSG_NETWORK, 0, fd, e);
        return r < 0 ? r : talk_wait(h, INIT_MSG_NETWORK_DONE, e);
}

int step_hostname(Helper *h, const InitHostname *s, Error *e) {
        if (sethostname(s->name, strlen(s->name)) < 0)
                return error_errnof(e, errno, "set hostname to \"%s\"", s->name);
        return 0;
}

int step_domainname(Helper *h, const InitDomainname *s, Error *e) {
        if (setdomainname(s->name, strlen(s->name)) < 0)
                return error_errnof(e, errno, "set domainname to \"%s\"", s->name);
        return 0;
}
