/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/gate.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "basic/fd.h"

static void gate_address(const Container *c, struct sockaddr_un *ret) {
        *ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
        /* Through the descriptor: the directory's own path may be longer than an address. */
        snprintf(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d/gate", c->dir);
}

/* A socket of another type is refused in another way than where there is none, and so nobody hears of it. */
bool container_is_gated(const Container *c) {
        _cleanup_close_ int fd = -EBADF;
        struct sockaddr_un address;

        /* Most containers have been started: their gate is gone, and that is cheaper to see. */
        if (faccessat(c->dir, "gate", F_OK, 0) < 0)
                return false;
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        gate_address(c, &address);
        return fd >= 0 && connect(fd, (struct sockaddr *) &address, sizeof(address)) < 0 && errno == EPROTOTYPE;
}

int container_bind_gate(const Container *c, int socket, Error *reterr) {
        struct sockaddr_un address;

        gate_address(c, &address);
        return bind(socket, (struct sockaddr *) &address, sizeof(address)) < 0
                       ? error_errnof(reterr, errno, "cannot make the gate of container %s", c->id)
                       : 0;
}
