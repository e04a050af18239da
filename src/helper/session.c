/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <linux/keyctl.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "basic/fd.h"
#include "helper/steps.h"
#include "helper/talk.h"

/* Of a session keyring (keyctl_setperm(3)): all to its possessor; view, read, search and link to its user,
 * which needs the search, no default, once the process has changed its uid. */
#define KEY_PERMISSIONS 0x3f1b0000UL

int step_setsid(Helper *h, const InitStep *s, Error *e) {
        if (setsid() < 0 && errno != EPERM) /* EPERM: we lead one already */
                return error_errnof(e, errno, "create session");
        return 0;
}

int step_keyring(Helper *h, const InitStep *s, Error *e) {
        long ring = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, s->str[0]);

        if (ring < 0 && errno == ENOSYS) /* a kernel without keys has none that could leak */
                return 0;
        if (ring < 0)
                return error_errnof(e, errno, "join session keyring %s", s->str[0]);
        if (syscall(SYS_keyctl, KEYCTL_SETPERM, ring, KEY_PERMISSIONS) < 0)
                return error_errnof(e, errno, "set permissions of session keyring %s", s->str[0]);
        return 0;
}

int step_loopback(Helper *h, const InitStep *s, Error *e) {
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
int step_net_devices(Helper *h, const InitStep *s, Error *e) {
        _cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
        int r;

        if (fd < 0)
                return error_errnof(e, errno, "open a socket in the container's network namespace");
        r = talk_send(h, INIT_MSG_NETWORK, 0, fd, e);
        return r < 0 ? r : talk_wait(h, INIT_MSG_NETWORK_DONE, e);
}

int step_hostname(Helper *h, const InitStep *s, Error *e) {
        if (sethostname(s->str[0], strlen(s->str[0])) < 0)
                return error_errnof(e, errno, "set hostname to \"%s\"", s->str[0]);
        return 0;
}

int step_domainname(Helper *h, const InitStep *s, Error *e) {
        if (setdomainname(s->str[0], strlen(s->str[0])) < 0)
                return error_errnof(e, errno, "set domainname to \"%s\"", s->str[0]);
        return 0;
}
