/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shut-sockets: takes each datagram socket that the first process has open, and lets nothing be read from it any more. Prints
 * how many there were. */
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DESCRIPTORS 64

int main(void) {
        int process = (int) syscall(SYS_pidfd_open, 1, 0), n = 0;

        for (int fd = 0; process >= 0 && fd < DESCRIPTORS; fd++) {
                int taken = (int) syscall(SYS_pidfd_getfd, process, fd, 0), type = 0;
                socklen_t size = sizeof(type);

                n += getsockopt(taken, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_DGRAM && shutdown(taken, SHUT_RD) == 0;
        }
        printf("%d\n", n);
        return 0;
}
